"""Corner plots: points of more than two dimensions, in pairs of coordinates and each by itself.

Daniel Foreman-Mackey: corner.py: Scatterplot matrices in Python, 2016,
doi:10.21105/joss.00024, made the layout common.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from genbench.reporting.figures.base import FIRST, FigureKind
from genbench.reporting.figures.drawing.canvas import (
    LINE,
    PanelGrid,
    canvas,
    image_of,
    inches_of,
    panel_titles,
    say,
)
from genbench.reporting.figures.drawing.key import REAL_COLOUR, draw_key, entries_of, key_lines
from genbench.reporting.figures.drawing.palette import SAMPLE, colour
from genbench.reporting.figures.drawing.panels import Arrays, Panel, Panels
from genbench.reporting.figures.drawing.planes import outside
from genbench.reporting.figures.stored import Stored

MOST = 6
"""Coordinates shown: more would be too small to be read."""
BINS, DOTS, REAL_DOTS = 30, 500, 1000
SIDES = {1: 4.4, 2: 3.1, 3: 2.4}
"""Panels in a line → the width of one, inches."""
SMALL, GAP = 0.62, 0.05
"""Inches of a small panel, at least, which its numbers need; and those between panels."""


class Corner(FigureKind):
    """Pairs of coordinates of points of more than two dimensions, and each by itself."""

    accepts = ("points",)
    replaces = ("density", "samples")
    cite = "foremanmackey2016corner"

    def applies(self, stored: Stored) -> bool:
        return stored.dims > 2

    def lacks(self, arrays: Arrays) -> str:
        points = "samples" in arrays and arrays["samples"].ndim == 2
        return super().lacks(arrays) or ("" if points else "no points")

    def rows_on_a_sheet(self, stored: Stored) -> int:
        return 9 if stored.dims <= 4 else 4

    def caption(self, shown: Panels) -> str:
        return ("Pairs of coordinates, and histograms of each on the diagonal: data in grey, "
                f"samples over them, of {FIRST}.")

    def draw(self, shown: Panels) -> Image.Image:
        return corner_sheet(shown)


class Axes(NamedTuple):
    """What the corners of a sheet share: the range of each coordinate, and its numbers."""

    limits: np.ndarray
    """(D, 2)."""
    ticks: list[list[float]]
    texts: list[list[str]]
    side: float
    """The width of a corner, inches."""

    @property
    def widest(self) -> float:
        """The width of the longest number, inches."""
        return max((inches_of(text) for texts in self.texts for text in texts), default=0.0)

    @property
    def turn(self) -> int:
        """The angle of the numbers below, degrees, at which none touches another."""
        wide = self.side / max(1, len(self.limits)) - GAP
        least = min((
            (b - a) / (high - low) * wide
            for ticks, (low, high) in zip(self.ticks, self.limits, strict=True)
            for a, b in pairwise(ticks)
        ), default=wide)
        if self.widest + 0.06 < min(least, wide / 2):
            return 0
        return 45 if self.widest < 0.7 * wide and least > 1.3 * LINE else 90


def corner_sheet(shown: Panels, *, dots: int = DOTS) -> Image.Image:
    """A corner for each row: histograms of coordinates on the diagonal, pairs below.

    The data are shown in grey. All corners have the same axes: the middle 99 % of the data's
    values with a margin. Of each row's samples the first `dots` are drawn.
    """
    panels, real = shown.panels, shown.real
    limits = _limits([real, *(panel.arrays for panel in panels)])
    columns = 2 if len(panels) == 4 or len(limits) > 4 else 3
    columns = min(columns, len(panels))
    side = max(SIDES[columns], SMALL * len(limits))
    ticks = [_numbers(low, high) for low, high in limits]
    texts = [[f"{tick:g}".replace("-", "−") for tick in one] for one in ticks]
    axes = Axes(limits, ticks, texts, side)
    left, below = axes.widest + 0.3, axes.widest + 0.36
    titles, above = panel_titles([panel.title for panel in panels], side)
    entries = entries_of(shown.drawn, data="samples" in real)
    which = _which(panels, real)
    lines = key_lines(entries, columns * (side + left) - left)
    foot = LINE * (len(lines) + bool(which)) + 0.08
    grid = PanelGrid(len(panels), columns, (side, side), (left, 0.12, above, below + foot),
                (left + 0.12, above + below))
    with canvas(grid.size) as figure:
        for ax, title, panel in zip(grid.axes(figure), titles, panels, strict=True):
            ax.set_title(title, loc="left")
            ax.set_axis_off()
            if panel.why_not:
                say(ax, panel.why_not, side)
                continue
            _corner(figure, ax.get_position(), panel.arrays, real, axes, dots)
            note = outside(panel.arrays["samples"][:dots], limits)
            ax.text(1, 1, note, transform=ax.transAxes, ha="right", va="top")
        draw_key(figure, lines, left)
        figure.text(left / grid.size[0], (foot - LINE / 2) / grid.size[1], which,
                    va="center_baseline")
        return image_of(figure)


def _which(panels: Sequence[Panel], real: Arrays) -> str:
    """Which coordinates are shown, where not all are."""
    every = (real, *(panel.arrays for panel in panels))
    size = max((a["samples"].shape[1] for a in every if "samples" in a), default=0)
    return f"the first {MOST} of {size} coordinates" if size > MOST else ""


def _numbers(low: float, high: float) -> list[float]:
    """Two or three round numbers well within a range."""
    from matplotlib.ticker import MaxNLocator

    edge, kept = 0.06 * (high - low), list[float]()
    for most in (3, 4, 5):
        ticks = MaxNLocator(most, steps=[1, 2, 5, 10]).tick_values(low, high)
        kept = [float(tick) for tick in ticks if low + edge <= tick <= high - edge]
        if len(kept) > 1:
            break
    return kept


def _limits(every: Sequence[Arrays]) -> np.ndarray:
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
    figure: Any, box: Any, arrays: Arrays, real: Arrays,
    axes: Axes, dots: int,
) -> None:
    """The panels of one row of the suite, within a box."""
    limits, (width, height) = axes.limits, figure.get_size_inches()
    count = len(limits)
    samples = arrays["samples"]
    data = real.get("samples", samples[:0])
    parts = arrays.get("components")
    shades: Any = SAMPLE if parts is None else [colour(int(c)) for c in parts[:dots]]
    wide, high = (box.width + GAP / width) / count, (box.height + GAP / height) / count
    for row in range(count):
        for column in range(row + 1):
            corner = (box.x0 + column * wide, box.y1 - (row + 1) * high + GAP / height)
            ax = figure.add_axes((*corner, wide - GAP / width, high - GAP / height))
            ax.grid(visible=False)
            ax.set_xlim(*limits[column])
            if row == column:
                _histogram(ax, samples[:, row], data[:, row], limits[row])
            else:
                ax.set_ylim(*limits[row])
                for points, size, shade in (
                    (data[:REAL_DOTS], 1.0, REAL_COLOUR), (samples[:dots], 1.3, shades),
                ):
                    ax.scatter(points[:, column], points[:, row], s=size, c=shade,
                               linewidths=0, alpha=0.85, plotnonfinite=False)
            _ticks(ax, row, column, axes)


def _histogram(ax: Any, samples: np.ndarray, data: np.ndarray, limits: np.ndarray) -> None:
    """Densities of a coordinate: data filled, samples as an outline."""
    edges = np.linspace(float(limits[0]), float(limits[1]), BINS + 1)
    for values, style in ((data, {"fill": True, "color": REAL_COLOUR}),
                          (samples, {"color": SAMPLE, "linewidth": 0.9})):
        finite = values[np.isfinite(values)].astype(float)
        if len(finite):
            counts = np.histogram(finite, edges)[0]
            ax.stairs(counts / (len(finite) * (edges[1] - edges[0])), edges, **style)


def _ticks(ax: Any, row: int, column: int, axes: Axes) -> None:
    """Marks at round numbers, and at the edges the names of the coordinates and the numbers."""
    lowest, first = row == len(axes.limits) - 1, column == 0 != row
    wide, high = ax.get_position().size * ax.figure.get_size_inches()
    turn, widest = axes.turn, axes.widest
    ax.set_xticks(axes.ticks[column], axes.texts[column])
    ax.tick_params(labelbottom=lowest)
    for label in ax.get_xticklabels() if turn else ():
        label.set(rotation=turn, rotation_mode="anchor", ha="right",
                  va="center" if turn == 90 else "top")
    if row == column:
        ax.set_yticks([])  # densities
    else:
        ax.set_yticks(axes.ticks[row], axes.texts[row])
        ax.tick_params(labelleft=first)
    if lowest:
        drop = {0: LINE, 45: 0.7 * widest + 0.1, 90: widest}[turn]
        ax.set_xlabel(f"x{column}")
        ax.xaxis.set_label_coords(0.5, -(drop + 0.06) / high)
    if first:
        ax.set_ylabel(f"x{row}")
        ax.yaxis.set_label_coords(-(widest + 0.12) / wide, 0.5)
