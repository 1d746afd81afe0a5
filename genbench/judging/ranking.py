"""Which rows of a column are the best: bold, and which are significantly worse than they: †.

The best mean is sought among the rows whose planned seeds all have a value, real data apart, and
that are not better than the real row: nothing truly is, so that such a number says something else
(one mode of 25 has a high-quality share of 1). The others are held against it one by one, by a
one-sided test at 5 % over their number (Bonferroni). This is the selection of a subset that holds
the best: whichever row is truly the best is marked as worse only if some other beats it in one of
so many tests, so in 5 % of cases at most, although the best mean was chosen by looking (the tests
simulate it; Gupta, On some multiple decision (selection and ranking) rules, Technometrics 1965).
Bold is the best and what is not significantly worse; what is, is marked. With fewer than three
seeds nothing can be told apart, and nothing is bold; nor is it where all means are the same.
"""

from collections.abc import Sequence
from enum import Enum
from statistics import fmean

from genbench.judging.cells import Cell, is_reference
from genbench.judging.significance import difference_test
from genbench.judging.statistics import ALPHA, MIN_SEEDS

WORSE = "†"
"""Marks what is significantly worse than the best."""
LEGEND = (
    f"bold: not significantly worse than the best mean; {WORSE}: significantly worse (at 5 %, "
    "corrected over the column, so that the truly best row is bold in 95 % of cases)"
)


class Rank(Enum):
    """Where a row stands in its column."""

    BEST = "best"
    """The best, or not significantly worse."""
    WORSE = "worse"
    """Significantly worse than the best."""
    NONE = "none"
    """Not to be ranked: seeds are missing or too few, or it is better than the real row."""


def ranks(column: Sequence[Cell]) -> dict[str, Rank]:
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
        test = difference_test(cell.costs, best.costs, certain=cell.fixed and best.fixed)
        if test.p_greater * len(others) <= ALPHA:
            found[cell.method] = Rank.WORSE
        elif cell.whole:
            found[cell.method] = Rank.BEST
    return found
