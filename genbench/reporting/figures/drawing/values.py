"""The horizontal axis of a sweep: the values of an option, logarithmic where they ask for it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Literal

import numpy as np

from genbench.reporting.figures.drawing.canvas import inches_of

__all__ = ["axis_kind", "sweep_axis"]

DECADES, STEPS = 1.5, 1.0
"""The decades from which values are far apart, and those from which equal ratios are."""


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
