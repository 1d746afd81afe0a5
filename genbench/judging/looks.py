"""Looks: tests of the claims after so many seeds, planned before the first run.

A claim that is tested again and again finds a difference by chance sooner or later. So a suite
plans its looks, and each look spends a share of the error of 5 % (`suites.looks.shares`), over the
claims by Holm's correction. A claim that is decided stays decided. One without a margin takes no
part in later corrections; one with a margin counts in all of them, within a look too.

The chance that a suite has a false verdict on a claim with a margin, or on one without where there
is no difference, is then at most the sum of the shares. Until the first such verdict none of these
claims has left the count, n of them at least. So its p is below that look's error over n, for
which each of them has a chance of that at most: of either direction half of it where there is no
difference, of NO DIFFERENCE half of it and of the wrong direction the other half where the
difference is beyond the margin. Whichever claims were tested and decided before does not matter
(W. Maurer, F. Bretz, Multiple testing in group sequential trials using graphical approaches,
Statistics in Biopharmaceutical Research 5, 2013, https://doi.org/10.1080/19466315.2013.807748),
nor which rows get more seeds, and when that ends: a test that is not made rejects nothing.

A claim with a margin has two questions, and the right answer to one leaves the other open: among
many rows that do not differ, each found NO DIFFERENCE would pass its error on to the next, until
one is found to differ at 5 % of its own. A claim without one may leave, for its only other verdict
is the opposite, and what is decided rightly by far is the opposite by chance hardly ever (J. P.
Shaffer, Control of directional errors with stagewise multiple test procedures, Annals of
Statistics 8, 1980, https://doi.org/10.1214/aos/1176345205, for independent tests).

All of it follows from the stored results. Nothing is kept of a look, so that looking again gives
nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from genbench.judging.answers import Case, placed
from genbench.judging.cells import RESULTS, SKIPPED, Cell
from genbench.judging.power import predictive_power, quantile, seeds_to_decide
from genbench.judging.statistics import ALPHA
from genbench.suites.looks import shares
from genbench.suites.plan import Plan
from genbench.suites.schema import Claim

FUTILE = 0.1
"""The predictive power below which a claim is given up."""
Rows = dict[tuple[str, str], set[int]]


@dataclass(frozen=True)
class Look:
    """One time that claims are tested; without planned looks the only one, of all seeds."""

    number: int = 1
    of: int = 1
    seeds: int | None = None
    """How many of each row; None for all that there are."""
    share: float = 1.0
    """Of the error."""
    last_seeds: int | None = None
    last_share: float = 1.0

    @property
    def planned(self) -> bool:
        """Whether it is one that a suite plans."""
        return self.seeds is not None

    def cells(self, cells: Sequence[Cell]) -> list[Cell]:
        """What there was to see at this look."""
        return list(cells) if self.seeds is None else [_first(cell, self.seeds) for cell in cells]

    def reached(self, claim: Claim, cells: Sequence[Cell], rows: Rows) -> bool:
        """Whether every run that the claim needs for this look has ended."""
        if self.seeds is None:
            return True
        needed = [of_row for part in claim.parts for _, found in placed(part, cells)
                  for of_row in found]
        return bool(needed) and all(self.ended(of_row, rows) for of_row in needed)

    def ended(self, cells: Sequence[Cell], rows: Rows) -> bool:
        """Whether the runs of a row that this look is of have ended."""
        if not cells:
            return False
        ended = {seed for cell in cells for seed in (*cell.values, *cell.skips, *cell.elsewhere)}
        ended |= {seed for cell in cells for seed, trouble in cell.troubles.items()
                  if trouble.status in (*RESULTS, SKIPPED)}
        wanted = rows.get((cells[0].method, cells[0].dataset), set())
        return {seed for seed in wanted if seed < (self.seeds or 0)} <= ended

    def adjusted(self, p: float) -> float:
        """A p after the correction over claims, so that it is to be held against 0.05."""
        return min(1.0, p / self.share)

    def outlook(self, case: Case, claims: int) -> tuple[float, int | None]:
        """The chance that a later look decides it, and how many seeds would, were this all true.

        `claims` are those over which the last look's error is shared.
        """
        assert self.seeds is not None
        assert self.last_seeds is not None
        level = ALPHA * self.last_share / (2 * claims)
        z = [quantile(p) for p in (case.confirm, case.refute, case.same) if p < 1]
        part = self.seeds / self.last_seeds
        chance = sum(predictive_power(one, part, level) for one in z)
        return min(1.0, chance), seeds_to_decide(max(z, default=0.0), self.seeds, level)


def looks_of(plan: Plan) -> list[Look]:
    """The looks of a suite, in order."""
    looks = plan.suite.looks
    if looks is None:
        return [Look()]
    spent = shares(looks)
    return [
        Look(number, len(looks), seeds, share, looks[-1], spent[-1])
        for number, (seeds, share) in enumerate(zip(looks, spent, strict=True), start=1)
    ]


@dataclass(frozen=True)
class LookSchedule:
    """When two rows of a table are compared: at the last look that both have reached.

    On the seeds of that look, and with the part of the error that it spends. How many seeds a row
    has follows from looks at results, and a test of all of them would not keep its level. Whatever
    made a row go on: a p over its look's share is below u for rows that do not differ with a
    chance of at most the sum of all shares times u, which is u.
    """

    looks: Sequence[Look] = (Look(),)
    rows: Rows = field(default_factory=dict)

    @property
    def planned(self) -> bool:
        """Whether the suite plans looks."""
        return self.looks[0].planned

    def pair(self, first: Cell, second: Cell) -> tuple[Cell, Cell, Look] | None:
        """Both cells as that look saw them; None before the first one."""
        for look in reversed(self.looks):
            if look.seeds is None or all(
                look.ended([cell], self.rows) for cell in (first, second)
            ):
                seen = look.cells([first, second])
                return seen[0], seen[1], look
        return None


ALL_SEEDS = LookSchedule()
"""That of a suite without looks."""


def schedule_of(plan: Plan) -> LookSchedule:
    """That of a suite; without looks all seeds are compared."""
    looks = looks_of(plan)
    return LookSchedule(looks, planned_rows(plan) if looks[0].planned else {})


def planned_rows(plan: Plan) -> Rows:
    """(Row, dataset) → the seeds that it has if it goes on to the last look."""
    found: Rows = {}
    for run in (*plan.runs, *plan.further):
        found.setdefault((run.method, run.dataset), set()).add(run.seed)
    return found


def rows_of(claim: Claim, cells: Sequence[Cell]) -> set[tuple[str, str]]:
    """The rows that a claim rests on, each with its dataset."""
    return {
        (cell.method, cell.dataset) for part in claim.parts for _, found in placed(part, cells)
        for of_row in found for cell in of_row
    }


def _first(cell: Cell, seeds: int) -> Cell:
    """The cell with its first seeds; itself, where it has no others."""
    if max(cell.seeds | cell.elsewhere, default=0) < seeds:
        return cell
    return replace(
        cell,
        values={seed: value for seed, value in cell.values.items() if seed < seeds},
        troubles={seed: why for seed, why in cell.troubles.items() if seed < seeds},
        skips={seed: why for seed, why in cell.skips.items() if seed < seeds},
        spreads={seed: std for seed, std in cell.spreads.items() if seed < seeds},
        elsewhere={seed for seed in cell.elsewhere if seed < seeds},
    )
