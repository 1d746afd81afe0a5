"""What a claim's verdict rests on, in words."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from genbench.reporting._digits import number, p_text
from genbench.reporting.statistics import Test
from genbench.suites.expectation import Expectation

__all__ = ["estimate_text"]


def estimate_text(expectation: Expectation, tests: Sequence[Test], p: float) -> str:
    """What was estimated, its interval, and the test.

    `tests` has one, or the two one-sided ones of a tolerance.
    """
    tolerance = expectation.tolerance or 0.0
    test = tests[0]
    shift = tolerance if len(tests) > 1 else 0.0
    what, back = _back(expectation)
    estimate = f"{what} {number(back(test.estimate + shift))}"
    if test.deterministic:
        return f"{estimate}, without any spread over the seeds"
    low, high = sorted((back(test.low + shift), back(test.high + shift)))
    interval = f"95 % CI [{number(low)}, {number(high)}]"
    kind = f"{test.kind} test" if len(tests) == 1 else f"two one-sided {test.kind} tests"
    kind += " on logs" if expectation.logs else ""
    return f"{estimate}, {interval}, {kind}, {p_text(p)}"


def _back(expectation: Expectation) -> tuple[str, Callable[[float], float]]:
    """What is estimated, and how it follows from the contrast that was tested."""
    several = len(expectation.terms) > 1
    if not expectation.logs:
        return ("difference" if several or expectation.constant else "value"), float
    sign, moved = expectation.terms[0][0], expectation.constant
    return ("ratio" if several else "geometric mean"), lambda x: math.exp(sign * (x - moved))
