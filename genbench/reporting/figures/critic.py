"""The value of a critic over the plane: filled contours about its median, with the data."""

from functools import partial
from typing import Any

import numpy as np
from PIL import Image

from genbench.reporting.figures.base import FIRST, FigureKind
from genbench.reporting.figures.drawing.panels import Arrays, Panels
from genbench.reporting.figures.drawing.planes import plane_sheet

BANDS, DATA = 14, 400
"""Bands of a surface, and the points of the data that are drawn over it."""
MAP = "cividis"
"""Nuñez, Anderton and Renslow (2018): even in lightness, and alike for all colour vision."""
BAR = 0.5
"""Inches that the scale of a panel takes with its words."""


class CriticFigure(FigureKind):
    """The value of the critic over the plane, less its median, with data as dots."""

    accepts = ("points",)
    rows = 12

    def lacks(self, arrays: Arrays) -> str:
        return "" if "critic" in arrays else "no critic"

    def caption(self, shown: Panels) -> str:
        return (f"Value of the critic of {FIRST}, less its median over the plane, as a critic's "
                "constant is free; each has its own scale. Dots are data.")

    def draw(self, shown: Panels) -> Image.Image:
        paint = partial(_surface, data=shown.real.get("samples"))
        return plane_sheet(shown, paint, below=BAR if any(shown.drawn) else 0.0)


def _surface(ax: Any, arrays: Arrays, *, data: np.ndarray | None) -> None:
    """Draw `critic` (G, G) over its `grid`, data (N, 2) as dots, and a colour bar below.

    A critic's constant is free, so that its median over the plane is taken off. The bands span
    the middle 99 % of the values.
    """
    values = _about_median(arrays["critic"].astype(float))
    low, high = (float(end) for end in np.quantile(values, [0.005, 0.995]))
    if high - low < 1e-12:
        low, high = low - 1e-6, high + 1e-6
    levels = np.linspace(low, high, BANDS + 1)
    x0, x1, y0, y1 = (float(edge) for edge in arrays["grid"])
    x, y = np.linspace(x0, x1, values.shape[1]), np.linspace(y0, y1, values.shape[0])
    filled = ax.contourf(x, y, values, levels=levels, cmap=MAP, extend="both")
    ax.contour(x, y, values, levels=levels[::2], colors="#FFFFFF", linewidths=0.25, alpha=0.6,
               linestyles="solid")
    if data is not None:
        points = data[:DATA].astype(float)
        ax.scatter(points[:, 0], points[:, 1], s=1.6, c="#FFFFFF", edgecolors="#000000",
                   linewidths=0.2, zorder=3)
    _bar(ax, filled, low, high)


def _about_median(values: np.ndarray) -> np.ndarray:
    """Less the median; what is not finite goes to the nearer end, NaN to the median."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return np.zeros_like(values)
    middle = float(np.median(finite))
    return np.nan_to_num(values, nan=middle, posinf=finite.max(), neginf=finite.min()) - middle


def _bar(ax: Any, filled: Any, low: float, high: float) -> None:
    """The panel's own scale, below it."""
    from matplotlib.ticker import MaxNLocator

    box, height = ax.get_position(), ax.figure.get_size_inches()[1]
    top = box.y0 - 0.3 / height
    place = ax.figure.add_axes((box.x0, top, box.width, 0.07 / height))
    bar = ax.figure.colorbar(filled, cax=place, orientation="horizontal")
    few = 2 if max(abs(low), abs(high)) < 0.1 else 4  # small numbers are long words
    ticks = MaxNLocator(few, steps=[1, 2, 5, 10]).tick_values(low, high)
    bar.set_ticks([tick for tick in ticks if low <= tick <= high])
    bar.ax.xaxis.set_major_formatter(lambda value, _: f"{value:.3g}".replace("-", "−"))
    bar.outline.set_linewidth(0.4)
    bar.ax.set_xlabel("critic, less its median", labelpad=1)
