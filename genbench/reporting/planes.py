"""Panels over the plane for papers: densities, samples and critics of chosen rows.

All panels of a figure have the same axes. Densities have the same bands: nats below the peak of
the true density (of the first panel's where the truth is not stored). Critics have a free constant
and a scale of their own, so that each has its own colour bar, about its median.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from genbench.reporting.canvas import canvas, png_bytes
from genbench.reporting.densities import DEPTHS
from genbench.reporting.palette import COLOURS, SAMPLE, ramp

__all__ = ["Plane", "plane_sheet"]

COLUMNS, SIDE, DOTS = 3, 2.7, 600
"""Panels in a line, the width of one in inches, and the samples drawn in it."""
CRITIC_BANDS = 14


@dataclass(frozen=True)
class Plane:
    """One row of the suite: its arrays as `samples.npz` holds them, or why there are none."""

    title: str
    arrays: dict[str, np.ndarray]
    why_not: str = ""


def plane_sheet(
    kind: Literal["density", "samples", "critic"], planes: Sequence[Plane],
    real: dict[str, np.ndarray], mark: str,
) -> bytes:
    """A PNG of the panels side by side; `real` are the arrays of the data themselves."""
    columns = min(COLUMNS, len(planes))
    rows = -(-len(planes) // columns)
    bar = 0.75 if kind == "critic" else 0.0
    strip = 0.62 if kind == "density" else 0.0
    width, height = columns * (SIDE + bar) + 0.45, rows * (SIDE + 0.3) + strip + 0.25
    view = _view(planes, real)
    peak = _peak(planes, real)
    with canvas(width, height, dpi=150) as figure:
        axes = list(figure.subplots(rows, columns, squeeze=False).flat)
        filled = None
        for ax, plane in zip(axes, planes, strict=False):
            filled = _panel(kind, ax, plane, real, view, peak) or filled
        for ax in axes[len(planes):]:
            ax.set_axis_off()
        figure.subplots_adjust(
            left=0.4 / width, right=1 - (0.1 + bar) / width, top=1 - 0.28 / height,
            bottom=(0.25 + strip) / height, wspace=0.12 + bar / SIDE, hspace=0.16,
        )
        if kind == "density" and filled is not None:
            _depth_bar(figure, filled, width, height)
        return png_bytes(figure, mark)


def _panel(
    kind: str, ax: Any, plane: Plane, real: dict[str, np.ndarray], view: Sequence[float],
    peak: float | None,
) -> Any:
    ax.set_title(plane.title, loc="left", fontsize=9)
    ax.set_xlim(view[0], view[1])
    ax.set_ylim(view[2], view[3])
    ax.set_aspect("equal")
    ax.grid(visible=False)
    if plane.why_not:
        ax.text(0.5, 0.5, plane.why_not, transform=ax.transAxes, ha="center", va="center",
                wrap=True, fontsize=8)
        return None
    filled = None
    if kind == "density" and "log_density" in plane.arrays and peak is not None:
        filled = _bands(ax, plane.arrays, peak)
    if kind == "critic":
        _surface(ax, plane.arrays)
        if real:
            _dots(ax, real["samples"], None, size=1.2, colour="#FFFFFF", alpha=0.55)
        return None
    if kind == "samples" and real:
        _dots(ax, real["samples"], None, size=3.0, colour="#C9D0D8", alpha=1.0, count=2000)
    _dots(ax, plane.arrays["samples"], plane.arrays.get("components"), size=3.5)
    return filled


def _bands(ax: Any, arrays: dict[str, np.ndarray], peak: float) -> Any:
    edges = [-depth for depth in DEPTHS[::-1]] + [100.0]
    floor = peak - 10 * DEPTHS[-1]
    values = np.nan_to_num(arrays["log_density"].astype(float), nan=floor, posinf=peak,
                           neginf=floor).clip(floor, None) - peak
    x, y = _nodes(arrays, values)
    colours = ramp(len(DEPTHS)) / 255
    filled = ax.contourf(x, y, values, levels=edges, colors=[tuple(c) for c in colours])
    lines = [edge for edge in edges[:-1] if (values > edge).any()]
    if lines:
        ax.contour(x, y, values, levels=lines, colors="#5B6B7C", linewidths=0.35,
                   linestyles="solid")
    return filled


def _surface(ax: Any, arrays: dict[str, np.ndarray]) -> None:
    if "critic" not in arrays:
        ax.text(0.5, 0.5, "no critic", transform=ax.transAxes, ha="center", va="center")
        return
    values = arrays["critic"].astype(float)
    finite = values[np.isfinite(values)]
    if not finite.size:
        finite = np.zeros(1)
    values = np.nan_to_num(
        values, nan=float(np.median(finite)), posinf=finite.max(), neginf=finite.min()
    )
    values = values - np.median(values)
    low, high = np.quantile(values, [0.005, 0.995])
    if high - low < 1e-12:
        low, high = low - 1e-6, high + 1e-6
    levels = np.linspace(low, high, CRITIC_BANDS + 1)
    x, y = _nodes(arrays, values)
    filled = ax.contourf(x, y, values, levels=levels, cmap="cividis", extend="both")
    ax.contour(x, y, values, levels=levels[::2], colors="#FFFFFF", linewidths=0.3, alpha=0.6,
               linestyles="solid")
    bar = ax.figure.colorbar(filled, ax=ax, fraction=0.05, pad=0.03, format="%.3g")
    bar.set_ticks(np.linspace(low, high, 5))
    bar.ax.tick_params(labelsize=7)


def _dots(
    ax: Any, samples: np.ndarray, components: np.ndarray | None, *, size: float,
    colour: str = SAMPLE, alpha: float = 0.85, count: int = DOTS,
) -> None:
    points = samples[:count].astype(float)
    near = np.isfinite(points).all(1) & (np.abs(points) < 1e6).all(1)
    colours: Any = colour
    if components is not None:
        of_each = [COLOURS[int(c) % len(COLOURS)] for c in components[: len(points)]]
        colours = [c for c, kept in zip(of_each, near, strict=True) if kept]
    ax.scatter(points[near, 0], points[near, 1], s=size, c=colours, alpha=alpha, linewidths=0)


def _nodes(arrays: dict[str, np.ndarray], values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    x0, x1, y0, y1 = (float(edge) for edge in arrays["grid"])
    return np.linspace(x0, x1, values.shape[1]), np.linspace(y0, y1, values.shape[0])


def _depth_bar(figure: Any, filled: Any, width: float, height: float) -> None:
    """The scale of the bands below the panels."""
    ax = figure.add_axes((0.4 / width, 0.37 / height, 1 - 0.6 / width, 0.09 / height))
    bar = figure.colorbar(filled, cax=ax, orientation="horizontal", spacing="uniform")
    bar.set_ticks([-depth for depth in DEPTHS[::-1]])
    bar.set_ticklabels([f"{depth:g}" for depth in DEPTHS[::-1]])
    bar.ax.tick_params(labelsize=7)
    bar.ax.set_xlabel("log density, nats below the peak of the truth", fontsize=7.5, labelpad=1)


def _view(planes: Sequence[Plane], real: dict[str, np.ndarray]) -> tuple[float, ...]:
    """A square range of both axes, that of the stored grids."""
    for arrays in (real, *(plane.arrays for plane in planes)):
        if "grid" in arrays:
            x0, x1, y0, y1 = (float(edge) for edge in arrays["grid"])
            half = max(x1 - x0, y1 - y0) / 2
            x, y = (x0 + x1) / 2, (y0 + y1) / 2
            return x - half, x + half, y - half, y + half
    return -1.0, 1.0, -1.0, 1.0


def _peak(planes: Sequence[Plane], real: dict[str, np.ndarray]) -> float | None:
    for arrays in (real, *(plane.arrays for plane in planes)):
        if "log_density" in arrays:
            finite = arrays["log_density"][np.isfinite(arrays["log_density"])]
            if finite.size:
                return float(finite.max())
    return None
