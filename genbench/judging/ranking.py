"""Which rows of a table differ significantly: from the best of a column, or from a named row.

**From the best.** The best mean is sought among the rows whose planned seeds all have a value,
real data apart, and that are not better than the real row: nothing truly is, so that such a number
says something else (one mode of 25 has a high-quality share of 1). The others are held against it
one by one, by a one-sided test at 5 % over their number (Bonferroni). This is the selection of a
subset that holds the best: whichever row is truly the best is marked as worse only if some other
beats it in one of so many tests, so in 5 % of cases at most, although the best mean was chosen by
looking (the tests simulate it; Gupta, On some multiple decision (selection and ranking) rules,
Technometrics 1965). Bold is the best and what is not significantly worse; what is, is marked.
With fewer than three seeds nothing can be told apart, and nothing is bold; nor is it where all
means are the same.

**From a named row.** Every other row is held against it, by two-sided tests at 5 %, after Holm's
correction over all comparisons of the table: the chance that it has any false mark is 5 % at most.
Of rows that lack a result, or have fewer than three seeds or a cut budget, nothing is said. One
that is better than the real row gets no mark, and counts for the correction all the same, for that
was found by looking. A row that diverged, or is infinite, is compared as what is worst.

A suite that plans looks has its rows compared at looks (`looks.LookSchedule`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from statistics import fmean

from genbench.judging.cells import Cell, is_reference
from genbench.judging.looks import ALL_SEEDS, LookSchedule
from genbench.judging.significance import difference_test
from genbench.judging.statistics import ALPHA, MIN_SEEDS, holm


class Rank(Enum):
    """Where a row stands in its column."""

    BEST = "best"
    """The best, or not significantly worse."""
    BETTER = "better"
    """Significantly better than the row that the table names."""
    WORSE = "worse"
    """Significantly worse than the best, or than the row that the table names."""
    NONE = "none"
    """Not to be ranked, because seeds are missing or too few or it is better than the real row; or
    not to be told from the row that the table names."""

    @property
    def mark(self) -> str:
        """What stands behind a number."""
        return {Rank.WORSE: " †", Rank.BETTER: " ‡"}.get(self, "")


LEGEND = (
    f"bold: not significantly worse than the best mean;{Rank.WORSE.mark}: significantly worse (at "
    "5 %, corrected over the column, so that the truly best row is bold in 95 % of cases)"
)
_AT_LOOKS = (
    "rows are compared at the last look that both have reached, on its seeds, at the part of the "
    "5 % that it spends"
)


def best_legend(schedule: LookSchedule) -> str:
    """What bold and the mark say where no row is named."""
    return f"{LEGEND}; {_AT_LOOKS}" if schedule.planned else LEGEND


@dataclass(frozen=True)
class Held:
    """The rows of a table, held against one of them."""

    against: str
    ranks: Sequence[dict[str, Rank]]
    """For each group of cells, the place of each method."""
    comparisons: int
    """Over which p was corrected."""
    looks: bool = False
    """Whether they were made at looks."""

    def legend(self, label: str) -> str:
        """What the marks say; `label` is what the row is called."""
        if not self.comparisons:
            return f"No row here can be compared with {label}: no marks."
        many = f"the {self.comparisons} comparisons" if self.comparisons > 1 else "one comparison"
        text = (
            f"{Rank.BETTER.mark.strip()} significantly better, {Rank.WORSE.mark.strip()} "
            f"significantly worse than {label}, two-sided at 5 % after Holm's correction over "
            f"{many} of this table; what has no mark was not told from it, or not compared (real "
            f"data, what is better than they are, rows that lack a result or have fewer than "
            f"{MIN_SEEDS} seeds)"
        )
        return f"{text}; {_AT_LOOKS}." if self.looks else f"{text}."


def ranks(column: Sequence[Cell], schedule: LookSchedule = ALL_SEEDS) -> dict[str, Rank]:
    """The place of each method among the cells of one column (one metric, dataset, protocol)."""
    found = {cell.method: Rank.NONE for cell in column}
    real = next((cell for cell in column if is_reference(cell)), None)
    rows = [cell for cell in column if not is_reference(cell) and cell.directed]
    ranked = [
        cell for cell in rows
        if cell.whole and len(cell.values) >= MIN_SEEDS and not cell.beyond(real)
    ]
    if not ranked:
        return found
    best = min(ranked, key=lambda cell: fmean(cell.costs.values()))
    others = [
        cell for cell in rows if cell is not best and cell.complete
        and len(cell.costs) >= MIN_SEEDS and not (cell.whole and cell.beyond(real))
    ]
    if len({fmean(cell.costs.values()) for cell in (best, *others)}) < 2:
        return found
    found[best.method] = Rank.BEST
    for cell in others:
        seen = schedule.pair(cell, best)
        if seen is None:
            continue
        one, other, look = seen
        test = difference_test(one.costs, other.costs, certain=cell.fixed and best.fixed)
        if look.adjusted(test.p_greater) * len(others) <= ALPHA:
            found[cell.method] = Rank.WORSE
        elif cell.whole:
            found[cell.method] = Rank.BEST
    return found


def held_against(
    against: str, groups: Sequence[tuple[Sequence[Cell], str]], schedule: LookSchedule = ALL_SEEDS
) -> Held:
    """The places of all rows of a table but the one that it names.

    A group is the cells of one column (one metric, dataset, protocol) and the method among them
    that the others are held against.
    """
    found = [{cell.method: Rank.NONE for cell in column} for column, _ in groups]
    tested: list[tuple[int, str, float, Rank]] = []
    for place, (column, name) in enumerate(groups):
        real = next((cell for cell in column if is_reference(cell)), None)
        rows = [cell for cell in column if _comparable(cell)]
        base = next((cell for cell in rows if cell.method == name), None)
        for cell in rows:
            if base is not None and cell is not base:
                tested += [(place, cell.method, *_differs(cell, base, real, schedule))]
    tested = [one for one in tested if one[3] is not Rank.NONE]
    adjusted = holm([p for _, _, p, _ in tested])
    for (place, method, _, rank), p in zip(tested, adjusted, strict=True):
        if p <= ALPHA:
            found[place][method] = rank
    return Held(against, found, len(tested), schedule.planned)


def _comparable(cell: Cell) -> bool:
    return (
        not is_reference(cell) and cell.directed and cell.complete and not cell.limited
        and len(cell.costs) >= MIN_SEEDS
    )


def _differs(
    cell: Cell, base: Cell, real: Cell | None, schedule: LookSchedule
) -> tuple[float, Rank]:
    """Two-sided p that a row is not as the named one, and which way; NONE where no look is yet."""
    seen = schedule.pair(cell, base)
    if seen is None:
        return 1.0, Rank.NONE
    one, other, look = seen
    test = difference_test(one.costs, other.costs, certain=cell.fixed and base.fixed)
    rank = Rank.WORSE if test.p_greater < test.p_less else Rank.BETTER
    if any(each.whole and each.beyond(real) for each in (cell, base)):
        return 1.0, rank
    return look.adjusted(test.p), rank
