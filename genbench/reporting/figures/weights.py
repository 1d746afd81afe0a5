"""Histograms of critics' weights: one panel for each row, the counts on a logarithmic axis."""

from typing import Any

import numpy as np
from PIL import Image

from genbench.reporting.figures.base import FIRST, FigureKind
from genbench.reporting.figures.drawing.grids import grid_sheet
from genbench.reporting.figures.drawing.palette import COLOURS
from genbench.reporting.figures.drawing.panels import Arrays, Panels

BINS = 61


class Weights(FigureKind):
    """A histogram of the critic's weights, without biases."""

    accepts = ("points",)
    rows = 15

    def lacks(self, arrays: Arrays) -> str:
        weights = arrays.get("critic_weights", np.empty(0))
        return "" if np.isfinite(weights).any() else "no weights of a critic"

    def caption(self, shown: Panels) -> str:
        return f"Weights of the critic of {FIRST}, without biases; each over its own range."

    def draw(self, shown: Panels) -> Image.Image:
        """As many bins in every panel, over each row's own range of weights.

        A clipped critic's weights fill a hundredth of the range of others: bins of one width
        would show them as one bar. The axes of the counts are the same.
        """
        from matplotlib.ticker import MaxNLocator

        counts = [_counts(arrays)[0] for arrays in shown.drawn]
        top = max([float(count.max()) for count in counts], default=1.0)

        def paint(ax: Any, arrays: Arrays, first: bool) -> None:
            count, edges = _counts(arrays)
            ax.stairs(count, edges, fill=True, color=COLOURS[0])
            ax.set_xlim(edges[0], edges[-1])
            ax.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
            ax.set_xlabel("weight")
            ax.set_yscale("log")
            ax.set_ylim(0.7, 2 * top)
            ax.tick_params(labelleft=first, which="both")
            if first:
                ax.set_ylabel("count")

        return grid_sheet(shown, paint)


def _counts(arrays: Arrays) -> tuple[np.ndarray, np.ndarray]:
    """Counts (BINS,) and edges (BINS + 1,) about 0."""
    weights = arrays["critic_weights"].astype(float)
    weights = weights[np.isfinite(weights)]
    end = float(np.abs(weights).max()) * 1.02 or 1.0
    return np.histogram(weights, bins=np.linspace(-end, end, BINS + 1))
