"""Panels over the plane: the same axes in all of them, and a key of the dots below."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from PIL import Image

from genbench.reporting.figures.drawing.canvas import (
    LINE,
    PanelGrid,
    canvas,
    image_of,
    inches_of,
    panel_titles,
    say,
)
from genbench.reporting.figures.drawing.key import Entry, draw_key, key_lines
from genbench.reporting.figures.drawing.palette import PAPER, SAMPLE
from genbench.reporting.figures.drawing.palette import colour as colour_of
from genbench.reporting.figures.drawing.panels import Arrays, Panels

COLUMNS, SIDE = 3, 1.64
"""Panels in a line, and the width of one in inches."""
ALONE, MANY, SMALL = 2.6, 12, 1.08
"""The width of a single panel, and that of each of more panels than so many, twice in a line."""
OUTSIDE = 0.02
"""The share of samples outside a panel from which it says so."""
BEHIND = {"facecolor": PAPER, "edgecolor": "none", "alpha": 0.8, "pad": 1}
"""What lies behind words over a panel."""
LEFT, RIGHT, BELOW, ACROSS = 0.33, 0.06, 0.2, 0.12
"""Inches: the margins, the numbers below a panel, and the gap."""
View = tuple[float, float, float, float]


def plane_sheet(
    shown: Panels, paint: Callable[[Any, Arrays], None], *, key: Sequence[Entry] = (),
    below: float = 0.0, foot: float = 0.0,
    finish: Callable[[Any, PanelGrid, float], None] | None = None,
) -> Image.Image:
    """The panels side by side; `paint` draws into axes, given a row's arrays.

    `below` are the inches that a panel takes below its own, `foot` those below all panels, where
    `finish` draws, given the figure, the grid and the height of the key.
    """
    panels = shown.panels
    known = _view([shown.real, *(panel.arrays for panel in panels)])
    view = known or (-1.0, 1.0, -1.0, 1.0)
    columns, side = _layout(len(panels))
    titles, above = panel_titles([panel.title for panel in panels], side, lines=3)
    tall = side * min(2.0, max(0.4, (view[3] - view[2]) / (view[1] - view[0])))
    lines = key_lines(key, columns * (side + ACROSS) - ACROSS)
    high = LINE * len(lines) + (0.06 if lines else 0.0)
    grid = PanelGrid(len(panels), columns, (side, tall), (LEFT, RIGHT, above, BELOW + below + high
                                                     + foot), (ACROSS, above + BELOW + below))
    with canvas(grid.size) as figure:
        for place, (ax, panel) in enumerate(zip(grid.axes(figure), panels, strict=True)):
            _frame(ax, titles[place], view, side, first=place % columns == 0)
            if known is None:
                ax.tick_params(bottom=False, left=False, labelbottom=False, labelleft=False)
            if panel.why_not:
                say(ax, panel.why_not, side)
            else:
                paint(ax, panel.arrays)
        if finish is not None:
            finish(figure, grid, high)
        draw_key(figure, lines, LEFT)
        return image_of(figure)


def _layout(count: int) -> tuple[int, float]:
    """Panels in a line, and the width of each, so that a sheet of 36 is no higher than a page."""
    if count == 1:
        return 1, ALONE
    if count > MANY:
        return 2 * COLUMNS, SMALL
    return 2 if count == 4 else min(COLUMNS, count), SIDE


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


def no_plane(samples: np.ndarray) -> str:
    """Why samples (N, D) are no points of the plane; empty where they are."""
    return "" if samples.shape[1] == 2 else f"points of {samples.shape[1]} dimensions"


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


def note_outside(ax: Any, samples: np.ndarray) -> None:
    """Say in a panel how many of the samples (N, 2) it does not show, if many."""
    words = outside(samples, np.array([ax.get_xlim(), ax.get_ylim()]))
    ax.text(0.03, 0.03, words, transform=ax.transAxes, bbox=BEHIND)


def dots(
    ax: Any, samples: np.ndarray, components: np.ndarray | None = None, *, size: float = 1.8,
    colour: str = SAMPLE, alpha: float = 0.85,
) -> None:
    """Points (N, 2), coloured by component where these are known; what is not finite is left."""
    points = samples.astype(float)
    near = np.isfinite(points).all(1) & (np.abs(points) < 1e6).all(1)
    colours: Any = colour
    if components is not None:
        of_each = [colour_of(int(c)) for c in components[: len(points)]]
        colours = [c for c, kept in zip(of_each, near, strict=True) if kept]
    ax.scatter(points[near, 0], points[near, 1], s=size, c=colours, alpha=alpha, linewidths=0)


def _view(every: Iterable[Arrays]) -> View | None:
    """The range of both axes that all stored grids cover; without any, that of the samples.

    None where there are no samples either.
    """
    every = list(every)
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
