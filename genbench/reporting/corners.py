"""Corner figures: points of more than two dimensions, in pairs of coordinates and each by itself.

Daniel Foreman-Mackey: corner.py: Scatterplot matrices in Python, 2016,
https://doi.org/10.21105/joss.00024, made the layout common.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from genbench.reporting.canvas import LINE, Grid, canvas, png_bytes, say, wrapped
from genbench.reporting.key import REAL_COLOUR, draw_key, entries_of, key_lines
from genbench.reporting.palette import SAMPLE, colour
from genbench.reporting.planes import Plane

__all__ = ["CORNER_WORDS", "MOST", "corner_sheet"]

CORNER_WORDS = (
    "Pairs of coordinates, and histograms of each on the diagonal: data in grey, samples over them"
)

MOST = 6
"""Coordinates shown: more would be too small to be read."""
BINS, DOTS, REAL_DOTS = 30, 500, 1000
SIDES = {1: 4.4, 2: 3.1, 3: 2.4}
"""Panels in a line → the width of one, inches."""
LEFT, BELOW = 0.52, 0.4
WIDE = 0.55
"""Inches of a small panel from which its values are written."""


def corner_sheet(planes: Sequence[Plane], real: dict[str, np.ndarray], mark: str) -> bytes:
    """A PNG with a corner for each row: histograms of coordinates on the diagonal, pairs below.

    `real` are the arrays of the data, shown in grey. All corners have the same axes: the middle
    99 % of the data's values with a margin.
    """
    columns = 2 if len(planes) == 4 else min(3, len(planes))
    side = SIDES[columns]
    limits = _limits([real, *(plane.arrays for plane in planes)])
    titles = [wrapped(plane.title, side) for plane in planes]
    above = LINE * (1 + max(title.count("\n") for title in titles)) + 0.06
    entries = entries_of((plane.arrays for plane in planes), data="samples" in real)
    lines = key_lines(entries, columns * (side + LEFT) - LEFT)
    foot = LINE * (len(lines) + 1) + 0.08
    grid = Grid(len(planes), columns, (side, side), (LEFT, 0.08, above, BELOW + foot),
                (LEFT + 0.08, above + BELOW))
    with canvas(grid.size) as figure:
        for ax, title, plane in zip(grid.axes(figure), titles, planes, strict=True):
            ax.set_title(title, loc="left")
            ax.set_axis_off()
            if "samples" not in plane.arrays:
                say(ax, plane.why_not or "its samples are not finite", side)
            else:
                _corner(figure, ax.get_position(), plane.arrays, real, limits, side)
        draw_key(figure, lines, LEFT)
        figure.text(LEFT / grid.size[0], (foot - LINE / 2) / grid.size[1], _which(planes, real),
                    va="center_baseline")
        return png_bytes(figure, mark)


def _which(planes: Sequence[Plane], real: dict[str, np.ndarray]) -> str:
    """Which coordinates are shown."""
    every = (real, *(plane.arrays for plane in planes))
    size = max((a["samples"].shape[1] for a in every if "samples" in a), default=0)
    return f"the first {MOST} of {size} coordinates" if size > MOST else f"all {size} coordinates"


def _limits(every: Sequence[dict[str, np.ndarray]]) -> np.ndarray:
    """The range of each coordinate shown, (D, 2): of the data, or of the first samples."""
    for arrays in every:
        points = arrays.get("samples", np.empty((0, 0)))[:, :MOST].astype(float)
        points = points[np.isfinite(points).all(1)]
        if len(points):
            low, high = np.quantile(points, [0.005, 0.995], axis=0)
            margin = 0.15 * np.where(high > low, high - low, 1.0)
            return np.stack([low - margin, high + margin], 1)
    return np.empty((0, 2))


def _corner(
    figure: Any, box: Any, arrays: dict[str, np.ndarray], real: dict[str, np.ndarray],
    limits: np.ndarray, side: float,
) -> None:
    """The axes of one row, within the box of its panel, `side` inches wide."""
    count = len(limits)
    samples = arrays["samples"]
    data = real.get("samples", samples[:0])
    parts = arrays.get("components")
    shades: Any = SAMPLE if parts is None else [colour(int(c)) for c in parts[:DOTS]]
    wide, high = box.width / count, box.height / count
    for row in range(count):
        for column in range(row + 1):
            place = (box.x0 + column * wide, box.y1 - (row + 1) * high, 0.92 * wide, 0.92 * high)
            ax = figure.add_axes(place)
            ax.grid(visible=False)
            ax.set_xlim(*limits[column])
            if row == column:
                _histogram(ax, samples[:, row], data[:, row], limits[row])
            else:
                ax.set_ylim(*limits[row])
                for points, size, shade, dots in (
                    (data, 1.0, REAL_COLOUR, REAL_DOTS), (samples, 1.3, shades, DOTS),
                ):
                    ax.scatter(points[:dots, column], points[:dots, row], s=size, c=shade,
                               linewidths=0, alpha=0.85, plotnonfinite=False)
            _ticks(ax, row, column, count, written=side / count >= WIDE)


def _histogram(ax: Any, samples: np.ndarray, data: np.ndarray, limits: np.ndarray) -> None:
    """Densities of a coordinate: data filled, samples as an outline."""
    edges = np.linspace(float(limits[0]), float(limits[1]), BINS + 1)
    for values, style in ((data, {"fill": True, "color": REAL_COLOUR}),
                          (samples, {"color": SAMPLE, "linewidth": 0.9})):
        finite = values[np.isfinite(values)].astype(float)
        if len(finite):
            counts = np.histogram(finite, edges)[0]
            ax.stairs(counts / (len(finite) * (edges[1] - edges[0])), edges, **style)


def _ticks(ax: Any, row: int, column: int, count: int, *, written: bool) -> None:
    """Marks at about two values, and at the edges the names of the coordinates and numbers."""
    from matplotlib.ticker import MaxNLocator

    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(2, steps=[1, 2, 5, 10], prune="both"))
    lowest, first = row == count - 1, column == 0 != row
    ax.tick_params(labelbottom=written and lowest, labelleft=written and first,
                   left=row != column)
    if lowest:
        ax.set_xlabel(f"x{column}")
    if column == 0:
        ax.set_ylabel(f"x{row}")
