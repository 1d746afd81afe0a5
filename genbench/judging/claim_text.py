"""What a claim's verdict rests on, in words."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from genbench.judging.statistics import Test
from genbench.suites.expectation import Expectation
from genbench.text.numbers import interval, number, p_text

__all__ = ["estimate_text"]


def estimate_text(expectation: Expectation, tests: Sequence[Test], p: float) -> str:
    """What was estimated, its interval, and the test.

    `tests` has one, or the two one-sided ones of a tolerance.
    """
    tolerance = expectation.tolerance or 0.0
    test = tests[0]
    kind = f"{test.kind} test" if len(tests) == 1 else f"two one-sided {test.kind} tests"
    if test.infinite:
        return f"{kind}, {p_text(p)}"
    shift = tolerance if len(tests) > 1 else 0.0
    what, back = _back(expectation, test)
    shown = number(back(test.estimate + (0.0 if test.logs else shift)))
    estimate = f"{what} {shown}"
    if test.deterministic:
        estimate += ", without any spread over the seeds"
        return estimate if test.certain else f"{estimate}, {kind}, {p_text(p)}"
    if expectation.logs or test.logs:
        kind += " on logs"
    if test.logs:
        kind += " (heavy tails)"
    if test.kind.startswith("exact") or (test.logs and len(tests) > 1):
        return f"{estimate}, {kind}, {p_text(p)}"
    low, high = sorted((back(test.low + shift), back(test.high + shift)))
    ends = f"{number(low)}, {number(high)}" if "logs" in kind else interval(low, high)
    return f"{estimate}, 95 % CI [{ends}], {kind}, {p_text(p)}"


def _back(expectation: Expectation, test: Test) -> tuple[str, Callable[[float], float]]:
    """What is estimated, and how it follows from the contrast that was tested."""
    several = len(expectation.terms) > 1
    sign, moved = expectation.terms[0][0], expectation.constant
    if test.logs:
        sign = math.copysign(1, sign)
        return "ratio of the sides' geometric means", lambda x: math.exp(sign * x)
    if not expectation.logs:
        return ("difference" if several or expectation.constant else "value"), float
    return ("ratio" if several else "geometric mean"), lambda x: math.exp(sign * (x - moved))
