"""The axes of a panel of curves: what they span, and whether logarithmically."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np

from genbench.reporting.figures.drawing.canvas import inches_of

WIDE = 100
"""The span, largest over smallest, from which an axis is logarithmic."""
DECADES, STEPS = 1.5, 1.0
"""The decades from which values are far apart, and those from which equal ratios are."""
APART = 0.17
"""The least distance of two labels of a symlog axis, as a share of its length."""


@dataclass(frozen=True)
class Scale:
    """An axis: its kind, its ends and, of a symlog axis, the half-width of its linear middle."""

    kind: Literal["linear", "log", "symlog"]
    low: float
    high: float
    linear: float = 0.0

    @property
    def label(self) -> str:
        """What the axis says of itself; a linear one nothing."""
        if self.kind == "symlog":
            return f"symlog from ±{self.linear:g}"
        return "" if self.kind == "linear" else "log scale"

    def apply(self, ax: Any) -> None:
        """Set an axis of matplotlib to this."""
        from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator

        if self.kind == "log":
            ax.set_yscale("log")
        elif self.kind == "symlog":
            ax.set_yscale("symlog", linthresh=self.linear)
            ax.set_ylim(self.low, self.high)
            ax.yaxis.set_major_locator(FixedLocator(self._ticks(ax)))
            ax.yaxis.set_minor_locator(NullLocator())
        else:
            ax.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
        ax.set_ylim(self.low, self.high)
        if self.label:
            ax.set_ylabel(self.label)

    def _ticks(self, ax: Any) -> list[float]:
        """Zero, the outermost powers of ten of a symlog axis, and others where there is room."""
        first = round(math.log10(self.linear))
        last = math.floor(math.log10(max(-self.low, self.high, self.linear)))
        powers = sorted(range(first, last + 1), key=lambda k: (k != last, k != first, -k))
        there = [0.0, *(sign * 10.0**k for k in powers for sign in (1, -1))]
        kept: dict[float, float] = {}
        for value in there:
            share = ax.transAxes.inverted().transform(ax.transData.transform((0, value)))[1]
            if -1e-9 <= share <= 1 + 1e-9 and all(abs(share - o) >= APART for o in kept.values()):
                kept[value] = float(share)
        return sorted(kept)


def choose_scale(
    means: Sequence[np.ndarray], stds: Sequence[np.ndarray], levels: Sequence[float] = (),
    *, whole: bool = False,
) -> Scale | None:
    """The axis for curves (N,) with bands of ± `stds`, and for lines at `levels`.

    A GAN's first updates and its outbursts would flatten all the rest: a linear or a symlog axis
    shows the middle 96 % of each mean, with the bands of the last tenth. A logarithmic one, where
    all means are positive and span more than a hundredfold, shows every mean. A symlog one is
    for what spans a hundredfold about 0. None where nothing is finite.
    """
    pairs = [(mean, std) for mean, std in zip(means, stds, strict=True) if len(mean)]
    if not pairs or not all(np.isfinite(part).all() for pair in pairs for part in pair):
        return None
    if whole:
        return _whole(pairs, levels)
    lows, highs, sizes = list(levels), list(levels), []
    for mean, std in pairs:
        tail = slice(len(mean) * 9 // 10, None)
        lows += [float(np.quantile(mean, 0.02)), float((mean - std)[tail].min())]
        highs += [float(np.quantile(mean, 0.98)), float((mean + std)[tail].max())]
        sizes.append(float(np.median(np.abs(mean))))
    low, high = min(lows), max(highs)
    lowest = min([float(mean.min()) for mean, _ in pairs] + list(levels))
    tallest = max(float(mean.max()) for mean, _ in pairs)
    if lowest > 0 and max(high, tallest) > WIDE * lowest:
        return Scale("log", 0.8 * lowest, 1.5 * max(high, tallest))
    reach, size = max(abs(low), abs(high)), min(sizes)
    if size > 0 and reach > WIDE * size:
        linear = 10.0 ** math.ceil(math.log10(max(size, 1e-6 * reach)))
        return Scale("symlog", _outward(low, linear), -_outward(-high, linear), linear)
    margin = 0.06 * (high - low) or 0.05 * (abs(low) or 1.0)
    return Scale("linear", low - margin, high + margin)


def _whole(
    pairs: Sequence[tuple[np.ndarray, np.ndarray]], levels: Sequence[float]
) -> Scale:
    """An axis for a handful of points, all of them."""
    values = np.concatenate([mean for mean, _ in pairs])
    low = min(float((mean - std).min()) for mean, std in pairs)
    high = max(float((mean + std).max()) for mean, std in pairs)
    low, high = min([low, *levels]), max([high, *levels])
    if values.min() > 0 and WIDE * float(np.median(values)) < values.max():
        return Scale("log", 0.7 * float(values.min()), 1.5 * high)
    margin = 0.06 * (high - low) or 0.05 * (abs(low) or 1.0)
    return Scale("linear", low - margin, high + margin)


def _outward(low: float, linear: float) -> float:
    """Somewhat below the lower end of a symlog axis."""
    return 1.5 * low if low < -linear else low - 0.3 * linear


def axis_kind(values: np.ndarray) -> Literal["linear", "log", "symlog"]:
    """Of values (N,) in order: log where they are positive and spread over decades; symlog where
    such start with a 0.
    """
    positive = values[values > 0]
    if len(positive) < 2 or values[0] < 0:
        return "linear"
    logs = np.log10(positive)
    even = len(logs) > 3 and np.ptp(np.diff(logs)) < 0.05
    if np.ptp(logs) < (STEPS if even else DECADES):
        return "linear"
    return "log" if len(positive) == len(values) else "symlog"


def sweep_axis(ax: Any, axis: str, places: Sequence[np.ndarray], inches: float) -> None:
    """Set the axis of a panel of this width; its ticks are the values, where they are few."""
    from matplotlib.ticker import FixedFormatter, FixedLocator, MaxNLocator, NullLocator

    ax.set_xlabel(axis)
    values = np.unique(np.concatenate([*places, np.empty(0)]))
    kind = axis_kind(values) if len(values) else "linear"
    if kind == "linear":
        ax.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
        return
    options = {"linthresh": float(values[1]), "linscale": 0.5} if kind == "symlog" else {}
    ax.set_xscale(kind, **options)
    if kind == "symlog":
        ax.set_xlim(-0.25 * values[1], 1.5 * values[-1])
    ax.xaxis.set_major_locator(FixedLocator(values.tolist()))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FixedFormatter(_labels(ax, values, inches)))


def _labels(ax: Any, values: np.ndarray, inches: float) -> list[str]:
    """The values as text: every one, every second one, …, so that they do not touch each other."""
    texts = [f"{value:g}" for value in values]
    ax.get_xlim()  # else the limits of the axis may not be set yet
    points = np.stack([values, np.zeros_like(values)], 1)
    at = ax.transAxes.inverted().transform(ax.transData.transform(points))[:, 0] * inches
    wide = [inches_of(text) for text in texts]
    step = next(
        step for step in range(1, len(texts) + 1)
        if all(at[j] - at[i] - (wide[i] + wide[j]) / 2 > 0.06
               for i, j in pairwise(range(0, len(texts), step)))
    )
    return [text if index % step == 0 else "" for index, text in enumerate(texts)]
