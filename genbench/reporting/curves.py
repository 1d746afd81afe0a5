"""Training curves: mean and ± 1 standard deviation over seeds, one panel for each loss term."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from genbench.reporting.canvas import canvas, look, png_bytes
from genbench.reporting.palette import INK

__all__ = ["Curve", "curve_sheet"]

POINTS = 150
"""Points on a curve: seeds may have been logged at different updates."""
PANELS = 12
"""The most panels in a figure; the terms that most methods share come first."""
COLUMNS = 3


@dataclass(frozen=True)
class Curve:
    """One term of one method: for each seed, updates and values (2, N).

    `style` is the method's place in the suite, so that it looks the same in every figure.
    """

    method: str
    style: int
    seeds: Sequence[np.ndarray]

    def band(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Updates, mean and standard deviation over the seeds that reached them, each (P,)."""
        last = max(float(seed[0, -1]) for seed in self.seeds)
        first = min(float(seed[0, 0]) for seed in self.seeds)
        longest = max(seed.shape[1] for seed in self.seeds)
        at = np.linspace(first, last, min(POINTS, max(2, longest)))
        rows = np.stack([
            np.interp(at, seed[0], seed[1], left=np.nan, right=np.nan) for seed in self.seeds
        ])  # (seeds, P)
        there = np.isfinite(rows)
        count = there.sum(0)
        at, rows, there, count = at[count > 0], rows[:, count > 0], there[:, count > 0], count[
            count > 0
        ]
        mean = np.where(there, rows, 0).sum(0) / count
        square = (np.where(there, rows - mean, 0) ** 2).sum(0) / np.maximum(count - 1, 1)
        return at, mean, np.sqrt(square)


def curve_sheet(
    terms: Mapping[str, Sequence[Curve]], lines: Mapping[str, tuple[str, float]], mark: str,
    *, in_order: bool = False,
) -> bytes:
    """A PNG of the panels; `terms` is title → curves, `lines` title → (label, level).

    Panels come in the order given, or those that most methods share first.

    `mark` goes into the file, as `png.keep_or_draw` asks.
    """
    if not terms:
        return _nothing(mark)
    shown = list(terms)
    if not in_order:
        shown.sort(key=lambda title: (-len(terms[title]), title))
    shown = shown[:PANELS]
    columns = min(COLUMNS, len(shown))
    rows = -(-len(shown) // columns)
    styles = {c.method: c.style for title in shown for c in terms[title]}
    methods = dict(sorted(styles.items(), key=lambda pair: pair[1]))
    legend_rows = -(-len(methods) // 4)
    height = 2.5 * rows + 0.25 * legend_rows + 0.35
    with canvas(3.5 * columns + 0.4, height) as figure:
        axes = figure.subplots(rows, columns, squeeze=False).flat
        for title, ax in zip(shown, axes):
            _panel(ax, title, terms[title], lines.get(title))
        for ax in list(axes):
            ax.set_axis_off()
        handles = [_handle(method, style) for method, style in methods.items()]
        figure.legend(handles=handles, loc="lower center", ncols=min(4, len(methods)))
        floor = (0.25 * legend_rows + 0.55) / height
        figure.subplots_adjust(
            left=0.72 / (3.5 * columns), right=0.985, top=1 - 0.3 / height, bottom=floor,
            hspace=0.5, wspace=0.3,
        )
        return png_bytes(figure, mark)


def _nothing(mark: str) -> bytes:
    with canvas(3.9, 1.0) as figure:
        figure.text(0.5, 0.5, "no run of these rows has such a curve", ha="center", va="center")
        return png_bytes(figure, mark)


def _handle(method: str, style: int) -> Any:
    from matplotlib.lines import Line2D

    return Line2D([], [], label=method, **look(style))


def _panel(ax: Any, title: str, curves: Sequence[Curve], line: tuple[str, float] | None) -> None:
    ax.set_title(title, loc="left")
    ax.set_xlabel("update")
    low, high = [], []
    for curve in curves:
        at, mean, std = curve.band()
        if not len(at):
            continue
        style = look(curve.style)
        ax.plot(at, mean, **style)
        if len(curve.seeds) > 1:
            ax.fill_between(at, mean - std, mean + std, color=style["color"], alpha=0.18, lw=0)
        # A GAN's first updates and its outbursts would flatten all the rest: the axis shows the
        # middle 96 % of the means, with the bands of the last tenth.
        tail = slice(len(at) * 9 // 10, None)
        low += [float(np.quantile(mean, 0.02)), float((mean - std)[tail].min())]
        high += [float(np.quantile(mean, 0.98)), float((mean + std)[tail].max())]
    if line is not None:
        ax.axhline(line[1], color=INK, linewidth=1, linestyle=(0, (4, 3)))
        ax.annotate(line[0], (1, line[1]), xycoords=("axes fraction", "data"), ha="right",
                    va="bottom", fontsize=8)
        low.append(line[1])
        high.append(line[1])
    if low and math.isfinite(min(low)) and math.isfinite(max(high)) and max(high) > min(low):
        means = [mean for curve in curves if len(mean := curve.band()[1])]
        _scale(ax, min(low), max(high), [float(mean.min()) for mean in means])


def _scale(ax: Any, low: float, high: float, lowest: Sequence[float]) -> None:
    """Linear, or logarithmic where all is positive and spans more than a hundredfold."""
    if min(lowest) > 0 and high > 100 * max(low, min(lowest)):
        ax.set_yscale("log")
        ax.set_ylim(0.9 * max(low, min(lowest)), 1.5 * high)
        return
    margin = 0.06 * (high - low)
    ax.set_ylim(low - margin, high + margin)
