"""False alarms and power of the gate, by simulation: all suites at once, in NumPy.

`python tests/lib/gate_power.py 10000` prints the table that stands in the manual. What is
simulated is `genbench.judging.gate.check` without tolerances, so that statistics alone stand
between noise and an alarm; `test_gate_power` holds it to the same verdicts, suite by suite.

Values are normal with a standard deviation of 1 over seeds, on both sides of a change. Those of
one seed are independent, or correlated by 0.9 where the change leaves what the seed decides.
"""

from __future__ import annotations

import sys

import numpy as np
from scipy.special import stdtr

from genbench.judging.statistics import ALPHA

SEEDS = (3, 5, 10, 20)
NUMBERS = (10, 50)
CHANGES = (1, 2, 3, 5)
CORRELATED = {"independent": 0.0, "correlated": 0.9}


def drawn(
    numbers: int, seeds: int, suites: int, correlation: float, change: float = 0.0,
    start: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Values of suites (suite, number, seed) before and now; the first number is worse."""
    rng = np.random.default_rng([start, numbers, seeds, int(10 * correlation)])
    before, own = rng.normal(size=(2, suites, numbers, seeds))
    now = correlation * before + np.sqrt(1 - correlation**2) * own
    now[:, 0] += change
    return before + 20, now + 20


def regressed(before: np.ndarray, now: np.ndarray) -> np.ndarray:
    """Which numbers (suite, number) the gate calls a regression."""
    p = np.minimum(1, 2 * np.minimum(_welch(before, now), _paired(before, now)))
    order, count = np.argsort(p, axis=1), p.shape[1]
    steps = (count - np.arange(count)) * np.take_along_axis(p, order, 1)
    adjusted = np.empty_like(p)
    np.put_along_axis(adjusted, order, np.maximum.accumulate(steps, axis=1), 1)
    return (adjusted <= ALPHA) & (now.mean(-1) > before.mean(-1))


def _welch(before: np.ndarray, now: np.ndarray) -> np.ndarray:
    n = before.shape[-1]
    one, other = before.var(-1, ddof=1) / n, now.var(-1, ddof=1) / n
    freedom = (one + other) ** 2 / ((one**2 + other**2) / (n - 1))
    return stdtr(freedom, (before.mean(-1) - now.mean(-1)) / np.sqrt(one + other))


def _paired(before: np.ndarray, now: np.ndarray) -> np.ndarray:
    worse, n = now - before, before.shape[-1]
    return stdtr(n - 1, -worse.mean(-1) / (worse.std(-1, ddof=1) / np.sqrt(n)))


def alarms(numbers: int, seeds: int, suites: int, correlation: float, start: int = 0) -> float:
    """The share of suites in which nothing changed that have a regression."""
    found = regressed(*drawn(numbers, seeds, suites, correlation, start=start))
    return float(found.any(1).mean())


def power(
    numbers: int, seeds: int, suites: int, correlation: float, change: float, start: int = 0
) -> float:
    """The share in which one number, worse by so many standard deviations, is found to be."""
    found = regressed(*drawn(numbers, seeds, suites, correlation, change, start=start))
    return float(found[:, 0].mean())


def row(seeds: int, kind: str, suites: int) -> str:
    """A line of the table: of suites of 10 and of 50 numbers."""
    rho = CORRELATED[kind]
    false = " / ".join(f"{100 * alarms(m, seeds, suites, rho):.1f}" for m in NUMBERS)
    found = [
        " / ".join(f"{100 * power(m, seeds, suites, rho, change):.0f}" for m in NUMBERS)
        for change in CHANGES
    ]
    return f"| {seeds} | {kind} | {false} | {' | '.join(found)} |"


if __name__ == "__main__":
    for kind in CORRELATED:
        for seeds in SEEDS:
            print(row(seeds, kind, int(sys.argv[1])), flush=True)
