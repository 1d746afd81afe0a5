"""Claims: sentences from papers written as comparisons of cells, judged by statistics.

The text of a claim is read by `genbench.suites.expectation`. It is judged on training seeds:

- paired, where every cell has the same seeds on the same dataset (runs of one seed share the
  order of the data), else by Welch's test; `significance` says what takes their place where
  values are tied, have heavy tails or are infinite;
- at 95 %, two-sided, after Holm's correction for the number of claims in the suite;
- CONFIRMED or REFUTED where the test is significant one way or the other, else INCONCLUSIVE;
- NO DIFFERENCE where the claim states a margin, and two one-sided tests at 2.5 % each find the
  difference within it, be it zero or not;
- a run that diverged, or a value that is NaN or infinite, is the worst there is: a claim that such
  a row is better than one whose values are all finite is REFUTED, for its mean is infinite; that
  it is worse is for the test to say;
- INCONCLUSIVE with fewer than three seeds, with a run that failed or has not ended (a mean over
  the seeds that survived would flatter the method), with a budget cut by --limit-updates, and
  where one metric was measured under different protocols.

A claim of several comparisons joined by `and` holds if all do (the largest p) and fails if one
does (the smallest p, times their number). One that names no dataset is, in the same way, about
each dataset on which its cells apply. `std(a) < std(b)` compares the spreads over seeds: Welch's
test on the logarithms of the distances from the median, but for the one distance that says
nothing (the median's own, or one of the middle two). A claim that gives a reason in the place of a
comparison is listed and not judged.
An identity (`js[apart] = log(2) within 1e-4`) is no test: it is CONFIRMED if every run's value is
that near its exact one, and REFUTED if one is not.
`a ~= b within t` is confirmed if |a − b| is significantly below t (two one-sided tests).
A claim that was not among the suite's when a run that it rests on first began is marked *post
hoc*: its sentence may have been written after the numbers. The row `real` has no training seeds;
its value counts as known up to its sampling spread. Where nothing random was trained or drawn,
equal values make `<` false and `<=` true.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from genbench.judging.cells import (
    Cell,
    dataset_names,
    find,
    is_reference,
    trouble_text,
)
from genbench.judging.claim_tests import tested
from genbench.judging.effects import Effect
from genbench.judging.exactly import exactly
from genbench.judging.margins import within_margin
from genbench.judging.statistics import ALPHA, MIN_SEEDS, holm
from genbench.suites.expand import Plan
from genbench.suites.expectation import CellName, Expectation
from genbench.suites.schema import Claim, Margin
from genbench.text.numbers import mean_text, p_text

__all__ = ["ClaimVerdict", "Expectation", "judge"]


Verdict = Literal["CONFIRMED", "REFUTED", "NO DIFFERENCE", "INCONCLUSIVE", "NOT JUDGED"]


@dataclass(frozen=True)
class ClaimVerdict:
    """What the numbers say of one claim."""

    id: str
    text: str
    expect: str
    verdict: Verdict
    evidence: str
    p: float | None
    """Two-sided, after Holm's correction; None where nothing could be tested."""
    post_hoc: bool = False
    """Whether a run that it rests on was started before the claim was written as it is."""
    effect: Effect | None = None
    """The size of what is compared; None where it is not one comparison of finite values."""
    seeds: int | None = None
    """Of the cell that has the fewest; None where nothing trained was measured."""


@dataclass
class _Answer:
    """What one dataset (or a claim's own choice of them) says: p for the claim and against it."""

    evidence: str
    confirm: float = 1.0
    refute: float = 1.0
    same: float = 1.0
    """That the difference lies within the margin."""
    tested: bool = False
    settled: bool = False
    """Whether it is refuted without a test."""
    exact: bool = False
    """Whether every run has the exact value that an identity gives."""
    applies: bool = True
    effect: Effect | None = None
    seeds: int | None = None


@dataclass
class _Case:
    answers: list[_Answer] = field(default_factory=list)

    @property
    def confirm(self) -> float:
        return max((answer.confirm for answer in self.answers), default=1.0)

    @property
    def refute(self) -> float:
        smallest = min((answer.refute for answer in self.answers), default=1.0)
        return min(1.0, smallest * len(self.answers))

    @property
    def same(self) -> float:
        return max((answer.same for answer in self.answers), default=1.0)

    @property
    def exact(self) -> bool:
        return all(answer.exact for answer in self.answers)

    @property
    def settled(self) -> bool:
        return any(answer.settled for answer in self.answers)

    @property
    def effect(self) -> Effect | None:
        return self.answers[0].effect if len(self.answers) == 1 else None

    @property
    def seeds(self) -> int | None:
        known = [answer.seeds for answer in self.answers if answer.seeds is not None]
        return min(known, default=None)

    @property
    def p(self) -> float | None:
        if self.settled:
            return 0.0
        if not any(answer.tested for answer in self.answers):
            return None
        return min(1.0, 2 * min(self.confirm, self.refute, self.same))


def judge(
    plan: Plan, cells: Sequence[Cell],
    planned: Mapping[tuple[str, str], Sequence[frozenset[str]]] | None = None,
) -> list[ClaimVerdict]:
    """Judge every claim of a suite's plan on the cells of its tidy table, in the suite's order.

    `planned` has the claims that the runs were started with, by row and dataset
    (`origins.planned_claims`): a claim that is not among them is marked post hoc.

    Raises:
        SuiteError: a claim that does not parse (the suite's loader refuses it earlier).
    """
    claims = list(plan.suite.report.claims)
    cases = {
        claim.id: _Case([answer for part in claim.parts for answer in _answers(
            part, cells, claim.margin
        )])
        for claim in claims if claim.parts
    }
    tests = {claim.id: cases[claim.id].p for claim in claims if claim.expect is not None}
    adjusted = dict(zip(tests, holm(list(tests.values())), strict=True))
    verdicts = {
        claim.id: replace(
            _verdict(claim, cases[claim.id], adjusted.get(claim.id), len(tests)),
            post_hoc=_post_hoc(claim, planned or {}),
        )
        for claim in claims if claim.id in cases
    }
    return [
        verdicts.get(claim.id)
        or ClaimVerdict(claim.id, claim.text, "", "NOT JUDGED", claim.unjudged, None)
        for claim in claims
    ]


def _post_hoc(
    claim: Claim, planned: Mapping[tuple[str, str], Sequence[frozenset[str]]]
) -> bool:
    """Whether a run of its rows began without it."""
    named = [cell for part in claim.parts for cell in part.cells]
    return any(
        claim.mark not in started
        for (method, dataset), runs in planned.items()
        if any(row == method and where in (None, dataset) for _, row, where in named)
        for started in runs
    )


def _verdict(claim: Claim, case: _Case, adjusted: float | None, tests: int) -> ClaimVerdict:
    """`adjusted` is None for an identity, which no test judges."""
    evidence = "; ".join(answer.evidence for answer in case.answers)
    found = ClaimVerdict(
        claim.id, claim.text, claim.expectation, "INCONCLUSIVE", evidence, None,
        effect=case.effect, seeds=case.seeds,
    )
    if case.settled:
        return replace(found, verdict="REFUTED")
    if adjusted is None:
        return replace(found, verdict="CONFIRMED") if case.exact else found
    if case.p is None:
        return found
    if tests > 1:
        evidence += f"; {p_text(adjusted)} after Holm's correction for {tests} claims"
    scale = adjusted / case.p if case.p else 1.0
    if 2 * case.same * scale <= ALPHA:
        name: Verdict = "NO DIFFERENCE"
    elif adjusted <= ALPHA:
        name = "CONFIRMED" if case.confirm < case.refute else "REFUTED"
    else:
        name = "INCONCLUSIVE"
        if all(answer.tested for answer in case.answers):
            evidence += "; within the noise of the seeds"
    return replace(found, verdict=name, evidence=evidence, p=adjusted)


def _answers(
    expectation: Expectation, cells: Sequence[Cell], margin: float | Margin | None
) -> list[_Answer]:
    """Judge one comparison on each dataset that it is about."""
    open_ended = any(dataset is None for _, _, dataset in expectation.cells)
    datasets: list[str] = dataset_names(cells) if open_ended else [""]
    answers = []
    for dataset in datasets:
        found = [find(cells, m, row, own or dataset) for m, row, own in expectation.cells]
        if open_ended and not all(found):
            continue  # a row that does not run on this dataset
        trained = [len(cells[0].outcomes) for cells in found
                   if len(cells) == 1 and not is_reference(cells[0])]
        answer = _answer(expectation, found, dataset, margin)
        answers.append(replace(answer, seeds=min(trained, default=None)))
    if any(answer.applies for answer in answers):
        answers = [answer for answer in answers if answer.applies]
    if not answers:
        names = ", ".join(_name(cell) for cell in expectation.cells)
        answers = [_Answer(f"no dataset has all of {names}")]
    return answers


def _answer(
    expectation: Expectation, found: Sequence[Sequence[Cell]], dataset: str,
    margin: float | Margin | None,
) -> _Answer:
    for name, cells in zip(expectation.cells, found, strict=True):
        if not cells:
            return _Answer(f"{_name(name, dataset)} was not measured")
        if len(cells) > 1:
            ways = " and ".join(f"{cell.metric}@{cell.protocol}" for cell in cells)
            return _Answer(f"{_name(name, dataset)} was measured under several protocols: {ways}")
    chosen = [cells[0] for cells in found]
    trouble = None if _never_exact(expectation, chosen) else _trouble(chosen)
    if trouble is not None:
        return trouble
    values = ", ".join(dict.fromkeys(cell.text for cell in chosen))
    if expectation.relation == "=":
        inside, text, far = exactly(expectation, chosen)
        return _Answer(
            f"{values}: {text}", settled=inside is False, exact=inside is True, effect=far
        )
    if all(map(is_reference, chosen)):
        return _Answer(f"{values}: the data have no training seeds to test on")
    if any(len(cell.outcomes) < MIN_SEEDS for cell in chosen if not is_reference(cell)):
        return _Answer(f"{values}: a verdict needs at least {MIN_SEEDS} seeds")
    try:
        result = tested(expectation, chosen)
    except ValueError as reason:
        return _Answer(str(reason))
    answer = _Answer(
        f"{values}: {result.text}", result.confirm, result.refute, tested=True,
        effect=result.effect,
    )
    if result.settled:
        return replace(answer, confirm=1.0, refute=0.0, settled=True)
    if margin is None:
        return answer
    same, text = within_margin(expectation, chosen, margin)
    return replace(answer, same=same, evidence=f"{answer.evidence}; {text}")


def _never_exact(expectation: Expectation, cells: Sequence[Cell]) -> bool:
    """Whether a value is not finite where an identity gives a number."""
    return expectation.relation == "=" and any(cell.lost for cell in cells)


def _trouble(cells: Sequence[Cell]) -> _Answer | None:
    """Why these cells cannot be compared, or None."""
    for cell in cells:
        if not cell.values and not cell.troubles:
            reason = cell.skipped or "no values"
            return _Answer(f"{cell.name} does not apply: {reason}", applies=False)
        sideless = cell.lost and (not cell.directed or is_reference(cell))
        if not cell.complete or sideless:
            text = f"{cell.name}: {trouble_text(cell)}"
            if sideless:
                text += "; without a better direction that tells which way it decides"
            if cell.values:
                text += f"; the other runs {mean_text(cell.sample)}"
            return _Answer(text)
        if cell.limited:
            return _Answer(f"{cell.name}: --limit-updates cut the budget, not comparable")
    protocols: dict[tuple[str, str], str] = {}
    for cell in cells:
        if not cell.values:  # a run that diverged was measured under no protocol
            continue
        known = protocols.setdefault((cell.metric, cell.dataset), cell.protocol)
        if known != cell.protocol:
            return _Answer(
                f"{cell.metric} on {cell.dataset} was measured under different protocols "
                f"({known} and {cell.protocol})"
            )
    return None


def _name(cell: CellName, dataset: str = "") -> str:
    metric, row, own = cell
    where = own or dataset
    return f"{metric}[{row}, {where}]" if where else f"{metric}[{row}]"
