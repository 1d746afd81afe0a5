"""The floors of distances, beside the numbers that are read against them."""

from collections.abc import Collection, Sequence
from math import nan

from genbench.judging.cells import Cell
from genbench.text.numbers import spread_text

SUFFIX = "_floor"


def floor_name(metric: str) -> str:
    """What the floor of a metric is called."""
    return metric + SUFFIX


def is_floor(name: str, metrics: Collection[str]) -> bool:
    """Whether it is the floor of one of these."""
    return name.endswith(SUFFIX) and name.removesuffix(SUFFIX) in metrics


def floor_text(cells: Sequence[Cell], metric: str, protocol: str | None) -> str:
    """The floor of a metric among the cells of a dataset, ± its spread over true sets, or ''.

    The data and the protocol (None: whichever) decide it: every row has the same.
    """
    found = next((
        cell for cell in cells
        if cell.metric == floor_name(metric) and cell.values and protocol in (None, cell.protocol)
    ), None)
    return spread_text(found.sample[0], found.sampling_std or nan) if found is not None else ""
