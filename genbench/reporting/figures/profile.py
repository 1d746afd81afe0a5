"""Densities and a critic over a line: rows of points of one dimension, a panel for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from genbench.reporting.figures.drawing.canvas import LINE, Grid, canvas, png_bytes, say, wrapped
from genbench.reporting.figures.drawing.palette import COLOURS
from genbench.reporting.figures.drawing.planes import Plane

__all__ = ["profile_sheet"]

COLUMNS, PANEL, BINS = 3, (1.5, 1.25), 40
TRUTH = "#B9C2CC"


def profile_sheet(planes: Sequence[Plane], real: dict[str, np.ndarray], mark: str) -> bytes:
    """A PNG of the panels: densities on the left axis, the critic on the right one.

    Where a density is not known, it is shown by the histogram of samples. A critic that speaks of
    probabilities is shown as D(x), on the same axis in all panels.
    """
    columns = 2 if len(planes) == 4 else min(COLUMNS, len(planes))
    titles = [wrapped(plane.title, PANEL[0]) for plane in planes]
    above = LINE * (1 + max(title.count("\n") for title in titles)) + 0.06
    grid = Grid(len(planes), columns, PANEL, (0.54, 0.5, above, 0.36 + LINE),
                (0.9, above + 0.36))
    with canvas(grid.size) as figure:
        for place, ax in enumerate(grid.axes(figure)):
            ax.set_title(titles[place], loc="left")
            _panel(ax, planes[place], real)
            if place % columns == 0:
                ax.set_ylabel("density")
        _legend(figure, grid, planes, real)
        return png_bytes(figure, mark)


def _panel(ax: Any, plane: Plane, real: dict[str, np.ndarray]) -> None:
    from matplotlib.ticker import MaxNLocator

    if "line" not in plane.arrays:
        say(ax, plane.why_not or "no points of one dimension", PANEL[0])
        ax.tick_params(bottom=False, labelbottom=False, left=False, labelleft=False)
        return
    if "line_log_density" in real:
        x, truth = _curve(real, "line_log_density")
        ax.fill_between(x, np.exp(truth), color=TRUTH, lw=0)
    elif "samples" in real:
        ax.stairs(*_histogram(real, plane), color=TRUTH, fill=True)
    if "line_log_density" in plane.arrays:
        x, own = _curve(plane.arrays, "line_log_density")
        ax.plot(x, np.exp(own), color=COLOURS[0])
    elif "samples" in plane.arrays:
        ax.stairs(*_histogram(plane.arrays, plane), color=COLOURS[0])
    ax.set_xlim(*plane.arrays["line"])
    ax.set_ylim(bottom=0)
    ax.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    ax.yaxis.set_major_locator(MaxNLocator(3, steps=[1, 2, 5, 10]))
    if "line_critic" in plane.arrays:
        x, critic = _curve(plane.arrays, "line_critic")
        probability = bool(plane.arrays["line_probability"])
        right = ax.twinx()
        right.grid(visible=False)
        right.spines["right"].set_visible(True)
        right.plot(x, critic, color=COLOURS[1], linestyle=(0, (4, 1.5)))
        right.yaxis.set_major_locator(MaxNLocator(3, steps=[1, 2, 5, 10]))
        if probability:
            right.set_ylim(-0.05, 1.05)
        right.set_ylabel("D(x)" if probability else "critic")


def _histogram(arrays: dict[str, np.ndarray], plane: Plane) -> tuple[np.ndarray, np.ndarray]:
    """Densities (BINS,) of samples over the line of a panel, and edges (BINS + 1,)."""
    low, high = (float(end) for end in plane.arrays["line"])
    edges = np.linspace(low, high, BINS + 1)
    values = arrays["samples"].astype(float)
    counts, _ = np.histogram(values, edges)
    return counts / (max(1, len(values)) * (edges[1] - edges[0])), edges


def _curve(arrays: dict[str, np.ndarray], name: str) -> tuple[np.ndarray, np.ndarray]:
    low, high = (float(end) for end in arrays["line"])
    return np.linspace(low, high, len(arrays[name])), arrays[name].astype(float)


def _legend(
    figure: Any, grid: Grid, planes: Sequence[Plane], real: dict[str, np.ndarray]
) -> None:
    from matplotlib.lines import Line2D

    width, height = grid.size
    x, y = grid.margins[0], 0.6 * LINE
    styles: list[tuple[str, bool, dict[str, Any]]] = [
        ("data", bool(real), {"color": TRUTH, "linewidth": 5}),
        ("model", True, {"color": COLOURS[0]}),
        ("critic", any("line_critic" in plane.arrays for plane in planes),
         {"color": COLOURS[1], "linestyle": (0, (4, 1.5))}),
    ]
    for label, _, style in (one for one in styles if one[1]):
        ends = (x / width, (x + 0.24) / width)
        figure.add_artist(Line2D(ends, (y / height, y / height), **style))
        figure.text((x + 0.3) / width, y / height, label, va="center_baseline")
        x += 0.8
