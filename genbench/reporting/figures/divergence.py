"""The Jensen–Shannon divergence of two densities on a line, as the areas that it is the sum of.

    KL(p ‖ m) + KL(q ‖ m) = ∫ p log(p/m) + ∫ q log(q/m),   m = (p + q)/2

Half of it is the divergence of Lin (1991, doi:10.1109/18.61115), at most log 2; the sum is at most
2 log 2. Where the densities lie apart m is half of either and both areas are log 2.
"""

from typing import Any

import numpy as np
from PIL import Image

from genbench.reporting.figures.base import FIRST, FigureKind
from genbench.reporting.figures.drawing.canvas import LINE, PanelGrid
from genbench.reporting.figures.drawing.grids import grid_sheet
from genbench.reporting.figures.drawing.palette import COLOURS, INK
from genbench.reporting.figures.drawing.panels import Arrays, Panels
from genbench.reporting.figures.stored import Stored


def halves(log_p: np.ndarray, log_q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """p log(p/m) and q log(q/m) of log densities (N,), each (N,)."""
    log_m = np.logaddexp(log_p, log_q) - np.log(2)
    return np.exp(log_p) * (log_p - log_m), np.exp(log_q) * (log_q - log_m)


class Divergence(FigureKind):
    """Two densities on a line, and the areas that their Jensen–Shannon divergence is made of."""

    accepts = ("points",)
    cite = "lin1991divergence"
    rows = 15

    def applies(self, stored: Stored) -> bool:
        return stored.dims == 1

    def lacks(self, arrays: Arrays) -> str:
        return "" if "line_log_density" in arrays else "no density on a line"

    def caption(self, shown: Panels) -> str:
        return (f"Densities p of the data and q of {FIRST}, their mean m (dashed), and as areas "
                "p log(p/m) and q log(q/m), whose integrals sum to JS, at most 2 log 2 = 1.386 in "
                "this convention and half of it in the other.")

    def draw(self, shown: Panels) -> Image.Image:
        def paint(ax: Any, arrays: Arrays, first: bool) -> None:
            low, high = (float(end) for end in arrays["line"])
            log_q = arrays["line_log_density"].astype(float)
            x = np.linspace(low, high, len(log_q))
            log_p = _on(x, shown.real)
            both, styles = (log_p, log_q), (COLOURS[2], COLOURS[0])
            parts = halves(*both)
            ends = 0.0
            for log, part, colour in zip(both, parts, styles, strict=True):
                ax.plot(x, np.exp(log), color=colour)
                ax.fill_between(x, part, color=colour, alpha=0.25, lw=0)
                ends += float(np.trapezoid(part, x))
            ax.plot(x, (np.exp(log_p) + np.exp(log_q)) / 2, color=INK, linewidth=0.8,
                    linestyle=(0, (3, 2)))
            ax.set_xlim(low, high)
            ax.text(0.98, 0.97, f"JS {abs(ends):.3f}", transform=ax.transAxes, ha="right",
                    va="top")
            ax.set_ylim(top=1.35 * ax.get_ylim()[1])
            if first:
                ax.set_ylabel("density")

        return grid_sheet(shown, paint, foot=LINE, finish=_legend)


def _on(x: np.ndarray, arrays: Arrays) -> np.ndarray:
    """The log density (N,) of the data at x; beyond the line that it is stored on, none.

    Between the nodes it is interpolated, and beyond them continued as the last parabola.
    """
    stored = arrays["line_log_density"].astype(float)
    low, high = (float(end) for end in arrays["line"])
    nodes = np.linspace(low, high, len(stored))
    found = np.interp(x, nodes, stored)
    for outside, few in ((x < nodes[0], slice(0, 9)), (x > nodes[-1], slice(-9, None))):
        found[outside] = np.polyval(np.polyfit(nodes[few], stored[few], 2), x[outside])
    return found


def _legend(figure: Any, grid: PanelGrid) -> None:
    width, height = grid.size
    x = grid.margins[0]
    for text, colour in (("data", COLOURS[2]), ("model", COLOURS[0])):
        figure.text(x / width, 0.6 * LINE / height, text, color=colour, va="center_baseline")
        x += 0.6
