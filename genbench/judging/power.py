"""What the seeds of two cells could tell apart, and by which test."""

from __future__ import annotations

import math

from scipy.special import stdtrit

from genbench.judging import exact
from genbench.judging.statistics import Test
from genbench.text.numbers import number

__all__ = ["how", "smallest_change", "would_be"]


def smallest_change(test: Test, before: float, level: float) -> float | None:
    """The smallest change that this spread would have told from noise; None if there is none."""
    if test.rivals:
        found = [smallest_change(one, before, level / len(test.rivals)) for one in test.rivals]
        return min((change for change in found if change is not None), default=None)
    if not math.isfinite(test.standard_error) or test.standard_error == 0:
        return None
    if test.kind.startswith("exact") and exact.floor(test.seeds) > level:
        return None
    half = float(stdtrit(min(test.df, 1e9), 1 - level)) * test.standard_error
    return abs(before) * math.expm1(half) if test.logs else half


def would_be(test: Test, smallest: float | None, level: float) -> str:
    """That change in words, or why there is none."""
    if smallest is not None:
        return f"smallest change that would be: {number(smallest, 2)}"
    if exact.floor(test.seeds) > level / max(1, len(test.rivals)):
        return "no change would be: so few seeds have no smaller p"
    return "no spread to tell what would be"


def how(test: Test) -> str:
    """What took the place of Student's test."""
    if test.infinite:
        return " (by ranks: a value is not finite)"
    if test.logs:
        return " (on logs: heavy tails)"
    return " (exact test: tied values or heavy tails)" if test.kind.startswith("exact") else ""
