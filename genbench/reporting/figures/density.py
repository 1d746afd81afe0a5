"""Log densities over the plane in bands, with samples over them.

All panels have the same bands: nats below the peak of the true density, or of the first panel's
where the truth is not stored.
"""

from typing import Any

import numpy as np
from PIL import Image

from genbench.reporting.figures.base import FIRST, FigureKind
from genbench.reporting.figures.drawing.canvas import PanelGrid, wrapped
from genbench.reporting.figures.drawing.key import entries_of
from genbench.reporting.figures.drawing.palette import ramp
from genbench.reporting.figures.drawing.panels import Arrays, Panels
from genbench.reporting.figures.drawing.planes import (
    LEFT,
    RIGHT,
    dots,
    no_plane,
    note_outside,
    plane_sheet,
)
from genbench.reporting.figures.stored import Stored

SAMPLES = 600
"""Samples drawn over a panel."""
DEPTHS = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0)
"""The edges of the bands, nats below the peak."""
BAR = 0.5
"""Inches that the scale of the bands takes with its words."""


class DensityFigure(FigureKind):
    """The log density of points of the plane in bands, with samples over it."""

    accepts = ("points",)
    automatic = ("points",)
    shows_real = True

    def applies(self, stored: Stored) -> bool:
        return stored.dims in (0, 2)

    def lacks(self, arrays: Arrays) -> str:
        return super().lacks(arrays) or no_plane(arrays["samples"])

    def caption(self, shown: Panels) -> str:
        return (f"Log density in bands where the row has one, and samples of {FIRST}, coloured by "
                "component in a mixture; the same axes and bands in all panels.")

    def draw(self, shown: Panels) -> Image.Image:
        peak, of_truth = _peak(shown)
        filled: list[Any] = []

        def paint(ax: Any, arrays: Arrays) -> None:
            samples = arrays["samples"][:SAMPLES]
            if "log_density" in arrays and peak is not None:
                filled.append(_bands(ax, arrays, peak))
            dots(ax, samples, arrays.get("components"))
            note_outside(ax, samples)

        def scale(figure: Any, grid: PanelGrid, foot: float) -> None:
            if filled:
                _depth_bar(figure, filled[-1], grid, foot, of_truth)

        banded = any("log_density" in arrays for arrays in shown.drawn)
        return plane_sheet(shown, paint, key=entries_of(shown.drawn, data=False),
                           foot=BAR if banded else 0.0, finish=scale)


def _bands(ax: Any, arrays: Arrays, peak: float) -> Any:
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


def _depth_bar(figure: Any, filled: Any, grid: PanelGrid, foot: float, of_truth: bool) -> None:
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


def _peak(shown: Panels) -> tuple[float | None, bool]:
    """The largest log density of the truth, or of the first panel that has one, and which."""
    for arrays in (shown.real, *(panel.arrays for panel in shown.panels)):
        if "log_density" in arrays:
            finite = arrays["log_density"][np.isfinite(arrays["log_density"])]
            if finite.size:
                return float(finite.max()), arrays is shown.real
    return None, False
