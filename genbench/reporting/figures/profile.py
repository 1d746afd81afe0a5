"""Densities and a critic over a line: points of one dimension, a panel for each row."""

from functools import partial
from typing import Any

import numpy as np
from PIL import Image

from genbench.reporting.figures.base import FIRST, FigureKind
from genbench.reporting.figures.drawing.canvas import LINE, PanelGrid
from genbench.reporting.figures.drawing.grids import grid_sheet
from genbench.reporting.figures.drawing.palette import COLOURS
from genbench.reporting.figures.drawing.panels import Arrays, Panels
from genbench.reporting.figures.stored import Stored

PANEL, BINS = (1.5, 1.25), 40
TRUTH = "#B9C2CC"


class Profile(FigureKind):
    """Densities and the critic over a line, of points of one dimension."""

    accepts = ("points",)
    rows = 15
    replaces = ("density", "samples")

    def applies(self, stored: Stored) -> bool:
        return stored.dims == 1

    def lacks(self, arrays: Arrays) -> str:
        return "" if "line" in arrays else "no points of one dimension"

    def caption(self, shown: Panels) -> str:
        return (f"Densities of the data and of the model, and the critic of {FIRST}: D(x) where "
                "its output is a probability, else its value.")

    def draw(self, shown: Panels) -> Image.Image:
        """Where a density is not known, it is shown by the histogram of samples. A discriminator,
        whose output is a probability, is shown as D(x), on the same axis in all panels.
        """
        def paint(ax: Any, arrays: Arrays, first: bool) -> None:
            _panel(ax, arrays, shown.real)
            if first:
                ax.set_ylabel("density")

        return grid_sheet(shown, paint, panel=PANEL, gap=0.9, right=0.5, foot=LINE,
                          finish=partial(_legend, shown=shown))


def _panel(ax: Any, arrays: Arrays, real: Arrays) -> None:
    from matplotlib.ticker import MaxNLocator

    if "line_log_density" in real:
        x, truth = _curve(real, "line_log_density")
        ax.fill_between(x, np.exp(truth), color=TRUTH, lw=0)
    elif "samples" in real:
        ax.stairs(*_histogram(real, arrays["line"]), color=TRUTH, fill=True)
    if "line_log_density" in arrays:
        x, own = _curve(arrays, "line_log_density")
        ax.plot(x, np.exp(own), color=COLOURS[0])
    elif "samples" in arrays:
        ax.stairs(*_histogram(arrays, arrays["line"]), color=COLOURS[0])
    ax.set_xlim(*arrays["line"])
    ax.set_ylim(bottom=0)
    ax.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    ax.yaxis.set_major_locator(MaxNLocator(3, steps=[1, 2, 5, 10]))
    if "line_critic" in arrays:
        x, critic = _curve(arrays, "line_critic")
        probability = bool(arrays["line_probability"])
        right = ax.twinx()
        right.grid(visible=False)
        right.spines["right"].set_visible(True)
        right.plot(x, critic, color=COLOURS[1], linestyle=(0, (4, 1.5)))
        right.yaxis.set_major_locator(MaxNLocator(3, steps=[1, 2, 5, 10]))
        if probability:
            right.set_ylim(-0.05, 1.05)
        right.set_ylabel("D(x)" if probability else "critic")


def _histogram(arrays: Arrays, line: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Densities (BINS,) of samples over the line of a panel, and edges (BINS + 1,)."""
    low, high = (float(end) for end in line)
    edges = np.linspace(low, high, BINS + 1)
    values = arrays["samples"].astype(float)
    counts, _ = np.histogram(values, edges)
    return counts / (max(1, len(values)) * (edges[1] - edges[0])), edges


def _curve(arrays: Arrays, name: str) -> tuple[np.ndarray, np.ndarray]:
    low, high = (float(end) for end in arrays["line"])
    return np.linspace(low, high, len(arrays[name])), arrays[name].astype(float)


def _legend(figure: Any, grid: PanelGrid, shown: Panels) -> None:
    from matplotlib.lines import Line2D

    width, height = grid.size
    x, y = grid.margins[0], 0.6 * LINE
    styles: list[tuple[str, bool, dict[str, Any]]] = [
        ("data", bool(shown.real), {"color": TRUTH, "linewidth": 5}),
        ("model", True, {"color": COLOURS[0]}),
        ("critic", any("line_critic" in arrays for arrays in shown.drawn),
         {"color": COLOURS[1], "linestyle": (0, (4, 1.5))}),
    ]
    for label, _, style in (one for one in styles if one[1]):
        ends = (x / width, (x + 0.24) / width)
        figure.add_artist(Line2D(ends, (y / height, y / height), **style))
        figure.text((x + 0.3) / width, y / height, label, va="center_baseline")
        x += 0.8
