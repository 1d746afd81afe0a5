"""The plans between two samples and three rows of the data, all of them, and the entropic ones.

The tables of 2 × 3 numbers with row sums ½ and column sums ⅓ have two degrees of freedom: they are
a hexagon, whose corners are the vertices of the linear program. The entropic plan at ε (Cuturi,
2013, arXiv:1306.0895) is that of the first row

    pⱼ = ⅓ · sigmoid(t + (c₂ⱼ − c₁ⱼ) / ε),  with t so that Σ pⱼ = ½,

which lies at the independent table where ε is large and tends to the cheapest vertex with ε → 0.
Curves join tables of one divergence from the independent one, KL(P ‖ abᵀ) = α.
"""

from itertools import permutations
from typing import Any

import numpy as np
from PIL import Image

from genbench.reporting.figures.base import FIRST, FigureKind
from genbench.reporting.figures.drawing.grids import grid_sheet
from genbench.reporting.figures.drawing.palette import COLOURS, INK
from genbench.reporting.figures.drawing.panels import Arrays, Panels

LEVELS = (0.05, 0.15, 0.3, 0.5)
"""α of the curves, nats."""
MARKS = (10.0, 1.0, 0.5, 0.25, 0.1)
"""ε of the dots on the path, in spreads of the cost."""
_BASIS = np.array([[1.0, -1.0, 0.0], [1.0, 1.0, -2.0]]) / np.sqrt([[2.0], [6.0]])


def entropic_row(gain: np.ndarray, epsilon: float) -> np.ndarray:
    """The first row (3,) of the entropic plan; `gain` (3,) is c₂ⱼ − c₁ⱼ."""
    scaled = gain / epsilon
    low, high = -scaled.max() - 40.0, -scaled.min() + 40.0
    for _ in range(200):
        middle = (low + high) / 2
        row = np.exp(-np.logaddexp(0.0, -(middle + scaled))) / 3
        low, high = (middle, high) if row.sum() < 0.5 else (low, middle)
    return np.asarray(row)


def best_vertex(gain: np.ndarray) -> np.ndarray:
    """The first row (3,) of the cheapest vertex."""
    return max(map(np.array, permutations((1 / 3, 1 / 6, 0.0))), key=lambda row: float(row @ gain))


class Polytope(FigureKind):
    """The plans of transport between few points, and the path of the entropic ones."""

    accepts = ("points",)
    cite = "cuturi2013sinkhorn"

    def lacks(self, arrays: Arrays) -> str:
        return super().lacks(arrays) or (
            "" if len(arrays["samples"]) > 1 else "it takes two samples")

    def caption(self, shown: Panels) -> str:
        marks = ", ".join(f"{mark:g}" for mark in MARKS)
        return (f"All plans between the first two samples of {FIRST} and three rows of the data "
                "are the hexagon. The entropic plan goes from the independent table (circle) to "
                "the cheapest vertex (square) as ε falls; dots are at ε = "
                f"{marks} standard deviations of the cost. Thin curves hold the plans of equal "
                "mutual information, and the arrow points to lower costs.")

    def draw(self, shown: Panels) -> Image.Image:
        data = shown.real["samples"][:3].astype(float)

        def paint(ax: Any, arrays: Arrays, first: bool) -> None:
            x = arrays["samples"][:2].astype(float)
            cost = np.linalg.norm(x[:, None] - data, axis=-1)  # (2, 3)
            _hexagon(ax)
            _path(ax, cost[1] - cost[0], float(cost.std()) or 1.0)

        return grid_sheet(shown, paint, panel=(1.8, 1.8))


def _place(row: np.ndarray) -> np.ndarray:
    """Where tables with first rows (…, 3) lie on the sheet, (…, 2)."""
    return np.asarray((row - 1 / 6) @ _BASIS.T)


def _information(row: np.ndarray) -> np.ndarray:
    """KL(P ‖ abᵀ) of tables with first rows (…, 3), nats."""
    both = np.stack((row, 1 / 3 - row)).clip(1e-12)
    return np.asarray((both * np.log(6 * both)).sum((0, -1)))


def _hexagon(ax: Any) -> None:
    ends = _place(np.array(list(permutations((1 / 3, 1 / 6, 0.0)))))
    ends = ends[np.argsort(np.arctan2(ends[:, 1], ends[:, 0]))]
    ax.fill(ends[:, 0], ends[:, 1], facecolor="#F2F4F7", edgecolor=INK, linewidth=0.8)
    reach = float(np.abs(ends).max())
    axis = np.linspace(-reach, reach, 201)
    points = np.stack(np.meshgrid(axis, axis), -1)  # (201, 201, 2)
    rows = points @ _BASIS + 1 / 6
    inside = ((rows >= 0) & (rows <= 1 / 3)).all(-1)
    depth = np.where(inside, _information(rows.clip(0, 1 / 3)), np.nan)
    ax.contour(axis, axis, depth, levels=LEVELS, colors="#8496AB", linewidths=0.5)
    ax.set_xlim(-1.4 * reach, 1.4 * reach)
    ax.set_ylim(-1.4 * reach, 1.4 * reach)
    ax.set_aspect("equal")
    ax.grid(visible=False)
    ax.axis("off")


def _path(ax: Any, gain: np.ndarray, spread: float) -> None:
    epsilons = spread * np.logspace(2, -2, 120)
    path = _place(np.array([entropic_row(gain, epsilon) for epsilon in epsilons]))
    ax.plot(path[:, 0], path[:, 1], color=COLOURS[0], linewidth=1.4)
    dots = _place(np.array([entropic_row(gain, mark * spread) for mark in MARKS]))
    ax.plot(dots[:, 0], dots[:, 1], "o", color=COLOURS[0], markersize=3)
    ax.plot(0, 0, "o", markersize=5, markerfacecolor="white", markeredgecolor=INK)
    ax.plot(*_place(best_vertex(gain)), "s", color=COLOURS[1], markersize=5)
    down = _place(gain - gain.mean() + 1 / 6)
    size = float(np.linalg.norm(down))
    if size > 0:
        ax.annotate("", xy=0.33 * down / size, xytext=0.26 * down / size, annotation_clip=False,
                    arrowprops={"arrowstyle": "->", "color": INK, "linewidth": 0.8})
