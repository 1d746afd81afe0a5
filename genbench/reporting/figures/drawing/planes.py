"""Panels over the plane: densities, samples and critics of rows.

All panels of a figure have the same axes. Densities have the same bands: nats below the peak of
the true density (of the first panel's where the truth is not stored). Critics have a free constant
and a scale of their own, so that each has its own colour bar, about its median.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from genbench.reporting.figures.critic import surface
from genbench.reporting.figures.drawing.canvas import (
    LINE,
    Grid,
    canvas,
    inches_of,
    png_bytes,
    say,
    wrapped,
)
from genbench.reporting.figures.drawing.key import REAL_COLOUR, draw_key, entries_of, key_lines
from genbench.reporting.figures.drawing.palette import PAPER, SAMPLE, ramp
from genbench.reporting.figures.drawing.palette import colour as colour_of

__all__ = ["Plane", "PlaneKind", "outside", "plane_sheet"]

COLUMNS, SIDE, DOTS = 3, 1.64, 600
"""Panels in a line, the width of one in inches, and the samples drawn in it."""
ALONE, MANY, SMALL = 2.6, 12, 1.08
"""The width of a single panel, and that of each of more panels than so many, twice in a line."""
REAL_DOTS = 2000
DEPTHS = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0)
"""The edges of the bands of a density, nats below the peak."""
OUTSIDE = 0.02
"""The share of samples outside a panel from which it says so."""
BEHIND = {"facecolor": PAPER, "edgecolor": "none", "alpha": 0.8, "pad": 1}
"""What lies behind words over a panel."""
LEFT, RIGHT, BELOW, BAR, ACROSS = 0.33, 0.06, 0.2, 0.5, 0.12
"""Inches: the margins, the numbers below a panel, a colour bar with its words, and the gap."""


@dataclass(frozen=True)
class Plane:
    """One row of the suite: its arrays as `samples.npz` holds them, or why there are none."""

    title: str
    arrays: dict[str, np.ndarray]
    why_not: str = ""


PlaneKind = Literal["density", "samples", "critic"]
View = tuple[float, float, float, float]


def plane_sheet(
    kind: PlaneKind, planes: Sequence[Plane],
    real: dict[str, np.ndarray], mark: str, *, dots: int = DOTS,
) -> bytes:
    """A PNG of the panels side by side; `real` are the arrays of the data themselves.

    Of each row's samples the first `dots` are drawn.
    """
    known = _view(planes, real)
    view = known or (-1.0, 1.0, -1.0, 1.0)
    peak, of_truth = _peak(planes, real)
    banded = kind == "density" and any("log_density" in plane.arrays for plane in planes)
    barred = kind == "critic" and any("critic" in plane.arrays for plane in planes)
    columns, side = _layout(len(planes))
    titles = [wrapped(plane.title, side, lines=3) for plane in planes]
    above = LINE * (1 + max(title.count("\n") for title in titles)) + 0.06
    tall = side * min(2.0, max(0.4, (view[3] - view[2]) / (view[1] - view[0])))
    below = BELOW + (BAR if barred else 0.0)
    room = columns * (side + ACROSS) - ACROSS
    key = [] if kind == "critic" else key_lines(
        entries_of((plane.arrays for plane in planes if not _why_not(kind, plane.arrays)),
                   data=kind == "samples" and "samples" in real), room)
    foot = LINE * len(key) + (0.06 if key else 0.0)
    bottom = below + foot + (BAR if banded else 0.0)
    grid = Grid(len(planes), columns, (side, tall), (LEFT, RIGHT, above, bottom),
                (ACROSS, above + below))
    with canvas(grid.size) as figure:
        filled = None
        for place, (ax, plane) in enumerate(zip(grid.axes(figure), planes, strict=True)):
            _frame(ax, titles[place], view, side, first=place % columns == 0)
            if known is None:
                ax.tick_params(bottom=False, left=False, labelbottom=False, labelleft=False)
            why = plane.why_not or _why_not(kind, plane.arrays)
            if why:
                say(ax, why, side)
            elif kind == "critic":
                surface(ax, plane.arrays, real.get("samples"), side)
            else:
                filled = _panel(kind, ax, plane, real, peak, dots) or filled
                words = outside(plane.arrays["samples"][:dots], np.reshape(view, (2, 2)))
                ax.text(0.03, 0.03, words, transform=ax.transAxes, bbox=BEHIND)
        if filled is not None:
            _depth_bar(figure, filled, grid, foot, of_truth)
        draw_key(figure, key, LEFT)
        return png_bytes(figure, mark)


def _layout(count: int) -> tuple[int, float]:
    """Panels in a line, and the width of each, so that a sheet of 36 is no higher than a page."""
    if count == 1:
        return 1, ALONE
    if count > MANY:
        return 2 * COLUMNS, SMALL
    return 2 if count == 4 else min(COLUMNS, count), SIDE


def _why_not(kind: str, arrays: dict[str, np.ndarray]) -> str:
    """Why these arrays make no such panel; empty where they do."""
    if kind == "critic":
        return "" if "critic" in arrays else "no critic"
    samples = arrays.get("samples")
    if samples is None:
        return "its samples are not finite"
    return "" if samples.shape[1] == 2 else f"points of {samples.shape[1]} dimensions"


def _frame(ax: Any, title: str, view: View, inches: float, *, first: bool) -> None:
    from matplotlib.ticker import FixedLocator, MaxNLocator

    ax.set_title(title, loc="left")
    ax.set_xlim(view[0], view[1])
    ax.set_ylim(view[2], view[3])
    ax.grid(visible=False)
    few = MaxNLocator(4, steps=[1, 2, 5, 10])
    ax.yaxis.set_major_locator(few)
    ax.xaxis.set_major_locator(FixedLocator([
        value for value in few.tick_values(view[0], view[1]) if _clear(value, view, inches)
    ]))
    ax.tick_params(labelleft=first)
    for side in ("top", "right"):
        ax.spines[side].set_visible(True)


def _clear(value: float, view: View, inches: float) -> bool:
    """Whether a number below a panel of this width stays clear of those of its neighbours."""
    at = (value - view[0]) / (view[1] - view[0]) * inches
    free = inches_of(f"{value:g}") / 2 - 0.3 * ACROSS
    return free <= at <= inches - free


def outside(samples: np.ndarray, limits: np.ndarray) -> str:
    """Words on how many samples (N, ≥ D) lie outside the limits (D, 2) of a panel, if many do.

    An empty panel would look like no samples at all.
    """
    shown = samples[:, : len(limits)]
    within = ((shown >= limits[:, 0]) & (shown <= limits[:, 1])).all(1)
    share = 1 - float(within.mean()) if len(samples) else 0.0
    if share < OUTSIDE:
        return ""
    return "all samples outside" if share == 1 else f"{100 * share:.0f} % outside"


def _panel(
    kind: str, ax: Any, plane: Plane, real: dict[str, np.ndarray], peak: float | None, dots: int
) -> Any:
    filled = None
    if kind == "density" and "log_density" in plane.arrays and peak is not None:
        filled = _bands(ax, plane.arrays, peak)
    if kind == "samples" and "samples" in real:
        _dots(ax, real["samples"][:REAL_DOTS], None, size=1.5, colour=REAL_COLOUR, alpha=1.0)
    components = plane.arrays.get("components")
    _dots(ax, plane.arrays["samples"][:dots], components, size=1.8)
    return filled


def _bands(ax: Any, arrays: dict[str, np.ndarray], peak: float) -> Any:
    edges = [-depth for depth in DEPTHS[::-1]] + [100.0]
    floor = peak - 10 * DEPTHS[-1]
    values = np.nan_to_num(arrays["log_density"].astype(float), nan=floor, posinf=peak,
                           neginf=floor).clip(floor, None) - peak
    x0, x1, y0, y1 = (float(edge) for edge in arrays["grid"])
    x, y = np.linspace(x0, x1, values.shape[1]), np.linspace(y0, y1, values.shape[0])
    colours = ramp(len(DEPTHS)) / 255
    filled = ax.contourf(x, y, values, levels=edges, colors=[tuple(c) for c in colours])
    lines = [edge for edge in edges[:-1] if (values > edge).any()]
    if lines:
        ax.contour(x, y, values, levels=lines, colors="#5B6B7C", linewidths=0.3,
                   linestyles="solid")
    return filled


def _dots(
    ax: Any, samples: np.ndarray, components: np.ndarray | None, *, size: float,
    colour: str = SAMPLE, alpha: float = 0.85,
) -> None:
    points = samples.astype(float)
    near = np.isfinite(points).all(1) & (np.abs(points) < 1e6).all(1)
    colours: Any = colour
    if components is not None:
        of_each = [colour_of(int(c)) for c in components[: len(points)]]
        colours = [c for c, kept in zip(of_each, near, strict=True) if kept]
    ax.scatter(points[near, 0], points[near, 1], s=size, c=colours, alpha=alpha, linewidths=0)


def _depth_bar(figure: Any, filled: Any, grid: Grid, foot: float, of_truth: bool) -> None:
    """The scale of the bands below the panels."""
    width, height = grid.size
    room = width - LEFT - RIGHT
    ax = figure.add_axes((LEFT / width, (foot + 0.34) / height, room / width, 0.08 / height))
    bar = figure.colorbar(filled, cax=ax, orientation="horizontal", spacing="uniform")
    bar.set_ticks([*(-depth for depth in DEPTHS[::-1]), 100.0])
    bar.set_ticklabels([*(f"{depth:g}" for depth in DEPTHS[::-1]), "0"])
    bar.outline.set_linewidth(0.4)
    peak = "the peak of the truth" if of_truth else "the first panel's peak"
    text = wrapped(f"log density, nats below {peak}", room + LEFT, lines=2)
    bar.ax.set_xlabel(text, labelpad=1)


def _view(planes: Sequence[Plane], real: dict[str, np.ndarray]) -> View | None:
    """The range of both axes that all stored grids cover; without any, that of the samples.

    None where there are no samples either.
    """
    every = [real, *(plane.arrays for plane in planes)]
    grids = [arrays["grid"].astype(float) for arrays in every if "grid" in arrays]
    if grids:
        low, high = np.max(grids, 0), np.min(grids, 0)
        if low[0] < high[1] and low[2] < high[3]:
            return float(low[0]), float(high[1]), float(low[2]), float(high[3])
    for arrays in every:
        samples = arrays.get("samples", np.empty((0, 0)))
        points = samples[np.isfinite(samples).all(1)] if samples.ndim == 2 else samples
        if len(points) and points.shape[1] == 2:
            low, high = np.quantile(points.astype(float), [0.01, 0.99], axis=0)
            centre, half = (low + high) / 2, 0.6 * (float((high - low).max()) or 1.0)
            return (float(centre[0] - half), float(centre[0] + half),
                    float(centre[1] - half), float(centre[1] + half))
    return None


def _peak(
    planes: Sequence[Plane], real: dict[str, np.ndarray]
) -> tuple[float | None, bool]:
    """The largest log density of the truth, or of the first panel that has one, and which."""
    for arrays in (real, *(plane.arrays for plane in planes)):
        if "log_density" in arrays:
            finite = arrays["log_density"][np.isfinite(arrays["log_density"])]
            if finite.size:
                return float(finite.max()), arrays is real
    return None, False
