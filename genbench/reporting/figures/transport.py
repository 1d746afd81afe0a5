"""Two heaps on a line, and the cheapest way to move one onto the other.

On a line the optimal plan for a distance as the cost brings the k-th part of the mass of one heap
to the k-th part of the other.
"""

from typing import Any

import numpy as np
from PIL import Image

from genbench.fields import Count
from genbench.reporting.figures.base import FIRST, FigureKind
from genbench.reporting.figures.drawing.grids import grid_sheet
from genbench.reporting.figures.drawing.palette import COLOURS
from genbench.reporting.figures.drawing.panels import Arrays, Panels
from genbench.reporting.figures.stored import Stored

HEAP, GAP = 0.3, 0.06
"""Height of a heap and its distance from the plan, as a share of the plan's side."""
DATA = "#B9C2CC"


def monotone_plan(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The plan (N, M) that moves heap (N,) onto heap (M,), both of mass 1, in order."""
    ends = [np.concatenate(([0.0], np.cumsum(heap))) for heap in (first, second)]
    low = np.maximum(ends[0][:-1, None], ends[1][None, :-1])
    high = np.minimum(ends[0][1:, None], ends[1][None, 1:])
    return np.asarray((high - low).clip(0))


class Transport(FigureKind):
    """The heaps of samples and of data on a line, and the optimal plan between them."""

    accepts = ("points",)
    bins: Count = 10
    """Places of each heap."""

    def applies(self, stored: Stored) -> bool:
        return stored.dims == 1

    def lacks(self, arrays: Arrays) -> str:
        return "" if "line" in arrays else "no points of one dimension"

    def caption(self, shown: Panels) -> str:
        return (f"Samples of {FIRST} (above) and data (right) as heaps of {self.bins} places; the "
                "squares say how much the optimal plan moves from one place to another.")

    def draw(self, shown: Panels) -> Image.Image:
        def paint(ax: Any, arrays: Arrays, first: bool) -> None:
            low, high = (float(end) for end in arrays["line"])
            edges = np.linspace(low, high, self.bins + 1)
            heaps = [_heap(rows["samples"], edges) for rows in (arrays, shown.real)]
            plan = monotone_plan(*heaps)
            middles = (edges[1:] + edges[:-1]) / 2
            cost = float((plan * np.abs(middles[:, None] - middles)).sum())
            side = high - low
            largest = max(float(heap.max()) for heap in heaps) or 1.0
            wide = 0.9 * side / self.bins
            ax.pcolormesh(edges, edges, plan.T, cmap="Greys", vmin=0, vmax=plan.max())
            beyond, tall = high + GAP * side, HEAP * side / largest
            ax.bar(middles, heaps[0] * tall, wide, bottom=beyond, color=COLOURS[0])
            ax.barh(middles, heaps[1] * tall, wide, left=beyond, color=DATA)
            ax.plot([low, high], [low, high], color="#5B6B7C", linewidth=0.4)
            ax.text(beyond, beyond, f"cost\n{cost:.3g}", va="bottom")
            ax.set_xlim(low, beyond + 1.05 * HEAP * side)
            ax.set_ylim(low, beyond + 1.05 * HEAP * side)
            ax.grid(visible=False)
            ax.set_xlabel("samples", loc="left")
            if first:
                ax.set_ylabel("data", loc="bottom")

        return grid_sheet(shown, paint, panel=(1.7, 1.7))


def _heap(samples: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """The share of samples (N, 1) in each place; those beyond the ends count to them."""
    counts, _ = np.histogram(samples.astype(float).clip(edges[0], edges[-1]), edges)
    return counts / max(1, counts.sum())
