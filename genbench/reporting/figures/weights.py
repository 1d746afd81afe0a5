"""Histograms of critics' weights: one panel for each row, the counts on a logarithmic axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from genbench.reporting.figures.drawing.canvas import LINE, Grid, canvas, png_bytes, say, wrapped
from genbench.reporting.figures.drawing.palette import COLOURS
from genbench.reporting.figures.drawing.planes import Plane

__all__ = ["weight_sheet"]

BINS, COLUMNS, PANEL, GAP = 61, 3, (1.4, 1.25), 0.42
"""The gap holds halves of the outermost numbers of two panels, inches."""


def weight_sheet(planes: Sequence[Plane], mark: str) -> bytes:
    """A PNG of the panels: as many bins everywhere, over each row's own range of weights.

    A clipped critic's weights fill a hundredth of the range of others: bins of one width would
    show them as one bar. The axes of the counts are the same.
    """
    columns = 2 if len(planes) == 4 else min(COLUMNS, len(planes))
    titles = [wrapped(plane.title, PANEL[0]) for plane in planes]
    above = LINE * (1 + max(title.count("\n") for title in titles)) + 0.06
    grid = Grid(len(planes), columns, PANEL, (0.52, 0.24, above, 0.36), (GAP, above + 0.36))
    counts = [_counts(plane) for plane in planes]
    top = max([float(count.max()) for count, _ in counts if len(count)] + [1.0])
    with canvas(grid.size) as figure:
        for place, ax in enumerate(grid.axes(figure)):
            ax.set_title(titles[place], loc="left")
            ax.set_xlabel("weight")
            ax.set_yscale("log")
            ax.set_ylim(0.7, 2 * top)
            labelled = place % columns == 0 and top > 1
            ax.tick_params(labelleft=labelled, left=top > 1, which="both")
            if labelled:
                ax.set_ylabel("count")
            _panel(ax, planes[place], *counts[place])
        return png_bytes(figure, mark)


def _counts(plane: Plane) -> tuple[np.ndarray, np.ndarray]:
    """Counts (BINS,) and edges (BINS + 1,) about 0; empty where there are no weights."""
    weights = plane.arrays.get("critic_weights", np.empty(0)).astype(float)
    weights = weights[np.isfinite(weights)]
    if not weights.size:
        return np.empty(0), np.empty(0)
    end = float(np.abs(weights).max()) * 1.02 or 1.0
    return np.histogram(weights, bins=np.linspace(-end, end, BINS + 1))


def _panel(ax: Any, plane: Plane, count: np.ndarray, edges: np.ndarray) -> None:
    from matplotlib.ticker import MaxNLocator

    if not len(count):
        say(ax, plane.why_not or "no weights of a critic", PANEL[0])
        ax.tick_params(bottom=False, labelbottom=False)
        return
    ax.stairs(count, edges, fill=True, color=COLOURS[0])
    ax.set_xlim(edges[0], edges[-1])
    ax.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
