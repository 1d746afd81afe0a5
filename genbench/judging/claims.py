"""Claims: sentences from papers written as comparisons of cells, judged by statistics.

The text of a claim is read by `genbench.suites.expectation`. It is judged on training seeds:

- paired, where every cell has the same seeds on the same dataset (runs of one seed share the
  order of the data), else by Welch's test; `significance` says what takes their place where
  values are tied, have heavy tails or are infinite;
- at 95 %, two-sided, after Holm's correction for the number of claims in the suite (`looks`);
- CONFIRMED or REFUTED where the test is significant one way or the other, else INCONCLUSIVE;
- NO DIFFERENCE where the claim states a margin, and two one-sided tests at 2.5 % each find the
  difference within it, be it zero or not; such a claim counts in every correction, decided or not;
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
nothing (the median's own, or one of the middle two); an exact test where distances are equal. A
claim that gives a reason in the place of a comparison is listed and not judged.
An identity (`js[apart] = log(2) within 1e-4`) is no test: it is CONFIRMED if every run's value is
that near its exact one, and REFUTED if one is not.
`a ~= b within t` is confirmed if |a − b| is significantly below t (two one-sided tests).
A suite that plans its looks has its claims tested at each of them on its first seeds (`looks`).
A claim that was not among the suite's when a run that it rests on first began is marked *post
hoc*: its sentence may have been written after the numbers. The row `real` has no training seeds;
its value is uncertain by the spread of its sample sets, with as many degrees of freedom less one;
of a single set nothing is known. Where nothing was trained, fitted or drawn, equal values make `<`
false and `<=` true.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from genbench.judging.answers import Case, case_of
from genbench.judging.cells import Cell
from genbench.judging.effects import Effect
from genbench.judging.looks import FUTILE, Look, looks_of, planned_rows
from genbench.judging.power import seeds_text
from genbench.judging.sampled import with_sets
from genbench.judging.statistics import ALPHA, holm
from genbench.suites.expand import Plan
from genbench.suites.expectation import Expectation
from genbench.suites.schema import Claim
from genbench.text.numbers import p_text

__all__ = ["ClaimVerdict", "Expectation", "judge"]


Planned = Mapping[tuple[str, str], Sequence[frozenset[str] | None]]
"""(Row, dataset) → the marks of the claims that each of its runs was started with; None where it
does not say."""
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
    """Two-sided, after Holm's correction and over looks: to be held against 0.05; None where
    nothing could be tested."""
    post_hoc: bool | None = None
    """Whether a run that it rests on was started before the claim was written as it is; None where
    that is not known."""
    effect: Effect | None = None
    """The size of what is compared; None where it is not one comparison of finite values."""
    seeds: int | None = None
    """Of the cell that has the fewest; None where nothing trained was measured."""
    look: int | None = None
    """The planned look at which it was decided, or the last one; None where there is none."""
    futile: bool = False
    """Whether the seeds of the looks that are left would hardly decide it."""
    needs: int | None = None
    """About how many seeds would decide it, where all looks are over or it is futile; None for
    more than 10,000."""
    open: bool = False
    """Whether the seeds of the next look may decide it."""

    @property
    def decided(self) -> bool:
        """Whether it is CONFIRMED, REFUTED or NO DIFFERENCE."""
        return self.verdict not in ("INCONCLUSIVE", "NOT JUDGED")


def judge(
    plan: Plan, cells: Sequence[Cell],
    planned: Planned | None = None,
) -> list[ClaimVerdict]:
    """Judge every claim of a suite's plan on the cells of its tidy table, in the suite's order.

    `planned` has the claims that the runs were started with, by row and dataset
    (`origins.planned_claims`): a claim that is not among them is marked post hoc, as is one
    that was to be tested at other looks.

    Raises:
        SuiteError: a claim that does not parse (the suite's loader refuses it earlier).
    """
    claims, cells = list(plan.suite.report.claims), with_sets(plan, cells)
    verdicts = {
        claim.id: _identity(claim, case_of(claim, cells))
        for claim in claims if claim.identity is not None
    }
    verdicts |= _tests(plan, [claim for claim in claims if claim.expect is not None], cells)
    return [
        replace(verdicts[claim.id], post_hoc=_post_hoc(plan, claim, planned or {}))
        if claim.id in verdicts
        else ClaimVerdict(claim.id, claim.text, "", "NOT JUDGED", claim.unjudged, None)
        for claim in claims
    ]


def _tests(
    plan: Plan, claims: Sequence[Claim], cells: Sequence[Cell]
) -> dict[str, ClaimVerdict]:
    """The verdicts on claims that are tested, look by look."""
    looks = looks_of(plan)
    rows = planned_rows(plan) if looks[0].planned else {}
    found = {} if not looks[0].planned else {
        claim.id: _unseen(claim, case_of(claim, looks[0].cells(cells)), looks[0])
        for claim in claims
    }
    for look in looks:
        left = [c for c in claims if c.id not in found or not found[c.id].decided]
        seen = look.cells(cells)
        cases = {c.id: case_of(c, seen) for c in left if look.reached(c, cells, rows)}
        stay = [c.margin is not None for c in left]
        others = sum(c.margin is not None for c in claims) - sum(stay)
        adjusted = holm(
            [cases[c.id].p if c.id in cases else None for c in left], stays=stay, others=others
        )
        for claim, p in zip(left, adjusted, strict=True):
            if claim.id in cases:
                found[claim.id] = _verdict(
                    claim, cases[claim.id], look.adjusted(p), look,
                    (len(claims), len(left) + others),
                )
    return found


def _post_hoc(plan: Plan, claim: Claim, planned: Planned) -> bool | None:
    """Whether a run of its rows began without it, as far as they say."""
    named = [cell for part in claim.parts for cell in part.cells]
    begun = [
        started for (method, dataset), runs in planned.items()
        if any(row == method and where in (None, dataset) for _, row, where in named)
        for started in runs
    ]
    mark = claim.mark(plan.suite.looks)
    if any(started is not None and mark not in started for started in begun):
        return True
    return None if not begun or None in begun else False


def _start(claim: Claim, case: Case) -> ClaimVerdict:
    """A claim of which nothing is decided."""
    evidence = "; ".join(answer.evidence for answer in case.answers)
    return ClaimVerdict(
        claim.id, claim.text, claim.expectation, "INCONCLUSIVE", evidence, None,
        effect=case.effect, seeds=case.seeds,
    )


def _identity(claim: Claim, case: Case) -> ClaimVerdict:
    found = _start(claim, case)
    if case.settled:
        return replace(found, verdict="REFUTED")
    return replace(found, verdict="CONFIRMED") if case.exact else found


def _unseen(claim: Claim, case: Case, first: Look) -> ClaimVerdict:
    found = _start(claim, case)
    return replace(
        found, evidence=f"{found.evidence}; its first look is at {first.seeds} seeds of each row"
    )


def _verdict(
    claim: Claim, case: Case, adjusted: float, look: Look, claims: tuple[int, int]
) -> ClaimVerdict:
    """What a look says of a claim; `claims` counts the suite's, and those that share its error."""
    found, (total, left) = _start(claim, case), claims
    if look.planned:
        found = replace(found, look=look.number)
    if case.settled:
        return replace(found, verdict="REFUTED")
    if case.p is None:
        return found
    evidence = found.evidence
    if look.planned:
        evidence += (f"; look {look.number} of {look.of}: {p_text(adjusted)} after correction for "
                     f"{total} claim{'s' * (total > 1)} and the looks")
    elif total > 1:
        evidence += f"; {p_text(adjusted)} after Holm's correction for {total} claims"
    scale = adjusted / case.p if case.p else left / look.share
    found = replace(found, p=adjusted, evidence=evidence)
    if 2 * case.same * scale <= ALPHA:
        return replace(found, verdict="NO DIFFERENCE")
    if adjusted <= ALPHA:
        return replace(
            found, verdict="CONFIRMED" if case.confirm < case.refute else "REFUTED"
        )
    if all(answer.tested for answer in case.answers):
        found = replace(found, evidence=f"{evidence}; within the noise of the seeds")
    return _outlook(found, case, look, left) if look.planned else found


def _outlook(found: ClaimVerdict, case: Case, look: Look, left: int) -> ClaimVerdict:
    """Whether more seeds may decide a claim that this look did not."""
    chance, needs = look.outlook(case, left)
    if look.number < look.of and chance >= FUTILE:
        return replace(found, open=True)
    text = f"{found.evidence}; going by these, it would take {seeds_text(needs)}"
    if look.number == look.of:
        return replace(found, needs=needs, evidence=text)
    text += f"; the {look.last_seeds} of the last look would decide it in {chance:.0%} of cases"
    return replace(found, futile=True, needs=needs, evidence=text)
