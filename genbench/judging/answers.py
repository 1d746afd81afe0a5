"""What stored results answer a claim: on each dataset, p for its comparison and against it."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

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
from genbench.judging.statistics import MIN_SEEDS
from genbench.suites.expectation import CellName, Expectation
from genbench.suites.schema import Claim, Margin
from genbench.text.numbers import mean_text


@dataclass
class Answer:
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
class Case:
    """The answers to all comparisons of a claim."""

    answers: list[Answer] = field(default_factory=list)

    @property
    def confirm(self) -> float:
        """One-sided p that all of them hold."""
        return max((answer.confirm for answer in self.answers), default=1.0)

    @property
    def refute(self) -> float:
        """One-sided p that one of them does not."""
        smallest = min((answer.refute for answer in self.answers), default=1.0)
        return min(1.0, smallest * len(self.answers))

    @property
    def same(self) -> float:
        """One-sided p that every difference is within the margin."""
        return max((answer.same for answer in self.answers), default=1.0)

    @property
    def exact(self) -> bool:
        """Whether every run has the values that its identities give."""
        return all(answer.exact for answer in self.answers)

    @property
    def settled(self) -> bool:
        """Whether one is refuted without a test."""
        return any(answer.settled for answer in self.answers)

    @property
    def effect(self) -> Effect | None:
        """What is estimated, where it is one comparison."""
        return self.answers[0].effect if len(self.answers) == 1 else None

    @property
    def seeds(self) -> int | None:
        """Of the cell that has the fewest."""
        known = [answer.seeds for answer in self.answers if answer.seeds is not None]
        return min(known, default=None)

    @property
    def p(self) -> float | None:
        """Two-sided, not corrected; None where nothing could be tested."""
        if self.settled:
            return 0.0
        if not any(answer.tested for answer in self.answers):
            return None
        return min(1.0, 2 * min(self.confirm, self.refute, self.same))


def case_of(claim: Claim, cells: Sequence[Cell]) -> Case:
    """What the cells answer to all of a claim's comparisons."""
    return Case([
        answer for part in claim.parts for answer in _answers(part, cells, claim.margin)
    ])


def placed(
    expectation: Expectation, cells: Sequence[Cell]
) -> Iterator[tuple[str, list[list[Cell]]]]:
    """Each dataset that a comparison is about, with what was measured of each of its cells."""
    open_ended = any(dataset is None for _, _, dataset in expectation.cells)
    for dataset in dataset_names(cells) if open_ended else [""]:
        found = [find(cells, m, row, own or dataset) for m, row, own in expectation.cells]
        if all(found) or not open_ended:  # or else a row that does not run on this dataset
            yield dataset, found


def _answers(
    expectation: Expectation, cells: Sequence[Cell], margin: float | Margin | None
) -> list[Answer]:
    """Judge one comparison on each dataset that it is about."""
    answers = []
    for dataset, found in placed(expectation, cells):
        trained = [len(cells[0].outcomes) for cells in found
                   if len(cells) == 1 and not is_reference(cells[0])]
        answer = _answer(expectation, found, dataset, margin)
        answers.append(replace(answer, seeds=min(trained, default=None)))
    if any(answer.applies for answer in answers):
        answers = [answer for answer in answers if answer.applies]
    if not answers:
        names = ", ".join(_name(cell) for cell in expectation.cells)
        answers = [Answer(f"no dataset has all of {names}")]
    return answers


def _answer(
    expectation: Expectation, found: Sequence[Sequence[Cell]], dataset: str,
    margin: float | Margin | None,
) -> Answer:
    for name, cells in zip(expectation.cells, found, strict=True):
        if not cells:
            return Answer(f"{_name(name, dataset)} was not measured")
        if len(cells) > 1:
            ways = " and ".join(f"{cell.metric}@{cell.protocol}" for cell in cells)
            return Answer(f"{_name(name, dataset)} was measured under several protocols: {ways}")
    chosen = [cells[0] for cells in found]
    trouble = None if _never_exact(expectation, chosen) else _trouble(expectation, chosen)
    if trouble is not None:
        return trouble
    values = ", ".join(dict.fromkeys(cell.text for cell in chosen))
    if expectation.relation == "=":
        inside, text, far = exactly(expectation, chosen)
        return Answer(
            f"{values}: {text}", settled=inside is False, exact=inside is True, effect=far
        )
    if all(map(is_reference, chosen)):
        return Answer(f"{values}: the data have no training seeds to test on")
    if any(len(cell.outcomes) < MIN_SEEDS for cell in chosen if not is_reference(cell)):
        return Answer(f"{values}: a verdict needs at least {MIN_SEEDS} seeds")
    try:
        result = tested(expectation, chosen)
    except ValueError as reason:
        return Answer(str(reason))
    answer = Answer(
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


def _trouble(expectation: Expectation, cells: Sequence[Cell]) -> Answer | None:
    """Why these cells cannot be compared, or None."""
    for name, cell in zip(expectation.cells, cells, strict=True):
        if not cell.values and not cell.troubles:
            reason = cell.skipped or "no values"
            return Answer(f"{cell.name} does not apply: {reason}", applies=False)
        sideless = cell.lost and (not cell.directed or is_reference(cell))
        if not cell.complete or sideless:
            text = f"{cell.name}: {trouble_text(cell)}"
            if sideless:
                text += "; without a better direction that tells which way it decides"
            if cell.values:
                text += f"; the other runs {mean_text(cell.sample)}"
            return Answer(text)
        if is_reference(cell) and cell.sets == 1 and expectation.relation != "=":
            return Answer(f"{cell.text}: one set of samples does not tell how uncertain it is; "
                          "`protocol: {sets: 3}` draws more")
        if name in expectation.magnitudes and -math.inf in cell.outcomes.values():
            return Answer(f"{cell.name}: {trouble_text(cell)}; the worst of a magnitude is not "
                          f"known where higher is better")
        if cell.limited:
            return Answer(f"{cell.name}: --limit-updates cut the budget, not comparable")
    protocols: dict[tuple[str, str], str] = {}
    for cell in cells:
        if not cell.values:  # a run that diverged was measured under no protocol
            continue
        known = protocols.setdefault((cell.metric, cell.dataset), cell.protocol)
        if known != cell.protocol:
            return Answer(
                f"{cell.metric} on {cell.dataset} was measured under different protocols "
                f"({known} and {cell.protocol})"
            )
    return None


def _name(cell: CellName, dataset: str = "") -> str:
    metric, row, own = cell
    where = own or dataset
    return f"{metric}[{row}, {where}]" if where else f"{metric}[{row}]"
