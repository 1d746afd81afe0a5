"""Identities: whether every run has the value that theory gives it."""

import math
from collections.abc import Sequence

from genbench.judging.cells import Cell, is_reference
from genbench.judging.effects import Effect
from genbench.suites.expectation import Expectation
from genbench.text.numbers import number


def exactly(
    expectation: Expectation, cells: Sequence[Cell]
) -> tuple[bool | None, str, Effect | None]:
    """Whether all runs are within the tolerance, the words for it, and the largest deviation.

    None in the place of either if there is no run.

    Several cells are put together seed by seed. The row of the data has no seeds: it stands beside
    each of theirs.
    """
    assert expectation.tolerance is not None
    if any(cell.lost for cell in cells):
        return False, "a value is not finite", None
    values = [
        cell.transformed(name in expectation.magnitudes, False)
        for cell, name in zip(cells, expectation.cells, strict=True)
    ]
    trained = [set(cell.values) for cell in values if not is_reference(cell)]
    seeds = sorted(set.intersection(*trained)) if trained else [0]
    alone = len(set.union(*trained)) - len(seeds) if trained else 0
    off = [
        math.fsum([expectation.constant, *(
            factor * (cell.sample[0] if is_reference(cell) else cell.values[seed])
            for (factor, _), cell in zip(expectation.terms, values, strict=True)
        )])
        for seed in seeds
    ]
    if not off:
        return None, "no seed is common to all", None
    far = max(map(abs, off))
    runs = f"{len(off)} run" + "s" * (len(off) > 1)
    within = far <= expectation.tolerance
    if alone:
        runs += f"; {alone} more seed{'s have' if alone > 1 else ' has'} not all of these rows"
    text = (f"off by {number(far)} at most ({runs}), "
            f"{'within' if within else 'beyond'} {number(expectation.tolerance)}")
    return within, text, Effect("largest deviation", far)
