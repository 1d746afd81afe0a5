"""False verdicts and power of whole suites, by simulation: all suites at once, in NumPy.

`python tests/lib/procedure.py 4000` prints the tables that stand in the manual. What is
simulated is `genbench.judging.claims.judge` on claims `a < b` of two rows that share their seeds;
`test_procedure` holds it to the same verdicts, suite by suite.

In one suite no claim is true, nor is its opposite: every verdict is false. In another four are
true, by 0.5, 1, 2 and 3 standard deviations. Values are normal; lognormal, where a standard
deviation is 1 on logarithms; or whole numbers, a normal of standard deviation 1 rounded.
Suites of claims with a margin are of normal values.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri, stdtr

from genbench.judging.exact import HEAVY
from genbench.judging.looks import FUTILE
from genbench.judging.statistics import ALPHA
from genbench.suites.looks import shares

LOOKS = [5, 10, 20, 40]
EQUAL = 2
"""What stands for NO DIFFERENCE."""
EFFECTS = (0.5, 1.0, 2.0, 3.0)
SHAPES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "normal": lambda z: z + 20,
    "heavy tails": np.exp,
    "whole numbers": lambda z: np.rint(z + 20),
}


class Ended(NamedTuple):
    """What suites came to, by suite and claim."""

    verdict: np.ndarray
    """1 for CONFIRMED, −1 for REFUTED, 2 for NO DIFFERENCE, 0 for INCONCLUSIVE."""
    seeds: np.ndarray
    """Of the claim's rows."""


def p_values(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One-sided p for a < b and against it, of samples (…, seeds)."""
    squares = a.var(-1), b.var(-1)
    heavy = np.any([_lognormal(x) & (square >= 0.1 * sum(squares))
                    for x, square in zip((a, b), squares, strict=True)], axis=0)
    logs = heavy & _lognormal(a, b)
    heavy &= ~logs
    a, b = (np.where(logs[..., None], np.log(x), x) for x in (a, b))
    n, d = a.shape[-1], a - b
    tied = (_tied(a) | _tied(b)) & _tied(d)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = d.mean(-1) / (d.std(-1, ddof=1) / np.sqrt(n))
    less, more = stdtr(n - 1, t), stdtr(n - 1, -t)
    skew = np.where(heavy, _skew(d) / np.sqrt(n) * ((n - 1) / n) ** 1.5, 0.0)
    cubic = np.where(np.isfinite(t), t, 0.0)
    hall = np.where(
        np.isfinite(t), cubic + skew / 6 + skew * cubic**2 / 3 + skew**2 * cubic**3 / 27, t)
    less, more = np.maximum(less, stdtr(n - 1, hall)), np.maximum(more, stdtr(n - 1, -hall))
    alike = ~tied & (np.ptp(d, -1) <= 1e-12 * np.abs(a).max(-1))
    if alike.any():  # moved by the same, all of them: Welch's test
        less[alike], more[alike] = _welch(a[alike], b[alike])
    if not tied.any():
        return less, more
    if n > 17:
        least = np.where(tied, 2.0**-n, 0.0)
        return np.maximum(less, least), np.maximum(more, least)
    signs = 1.0 - 2.0 * ((np.arange(2**n)[:, None] >> np.arange(n)) & 1)
    rows = d[tied]
    exact = np.empty((2, len(rows)))
    for start in range(0, len(rows), 2000):
        part = rows[start:start + 2000]
        sums, seen = part @ signs.T, part.sum(-1)[:, None]
        exact[0, start:start + 2000] = (sums <= seen + 1e-9).mean(-1)
        exact[1, start:start + 2000] = (sums >= seen - 1e-9).mean(-1)
    less[tied], more[tied] = exact
    return less, more


def _welch(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    one, other = (x.var(-1, ddof=1) / x.shape[-1] for x in (a, b))
    freedom = (one + other) ** 2 / ((one**2 + other**2) / (a.shape[-1] - 1))
    t = (a.mean(-1) - b.mean(-1)) / np.sqrt(one + other)
    return stdtr(freedom, t), stdtr(freedom, -t)


def _lognormal(*samples: np.ndarray) -> np.ndarray:
    """Whether logarithms suit positive samples better."""
    logs = [np.log(x) for x in samples]
    wide = np.all([x.std(-1, ddof=1) > HEAVY for x in logs], axis=0)
    return wide & (_skewness(*logs) < _skewness(*samples))


def _skewness(*samples: np.ndarray) -> np.ndarray:
    return sum(np.abs(_skew(x)) for x in samples)


def _skew(x: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore", divide="ignore"):
        z = (x - x.mean(-1, keepdims=True)) / x.std(-1, keepdims=True)
    return (z**3).mean(-1)


def _tied(x: np.ndarray) -> np.ndarray:
    return (np.diff(np.sort(x, -1), axis=-1) <= 1e-12 * np.abs(x).max(-1, keepdims=True)).any(-1)


def ended(values: np.ndarray, looks: Sequence[int], margin: float | None = None) -> Ended:
    """The verdicts on suites (suite, claim, side, seed), as `--until-decided` goes on.

    With a `margin`, all claims have it.
    """
    verdict = np.zeros(values.shape[:2], dtype=int)
    seeds = np.full(values.shape[:2], looks[0])
    going = np.ones(values.shape[:2], dtype=bool)
    spent = shares(looks)
    for n, share in zip(looks, spent, strict=True):
        seeds[going] = n
        a, b = values[:, :, 0, :n], values[:, :, 1, :n]
        less, more = p_values(a, b)
        same = np.ones_like(less)
        if margin is not None:
            same = np.maximum(p_values(a, b + margin)[0], p_values(a, b - margin)[1])
        p = np.where(going, np.minimum(1, 2 * np.minimum(less, more)), 1.0)
        left = verdict == 0
        count = left.sum(1, keepdims=True)
        if margin is None:
            adjusted = _holm(np.where(left, p, 2.0), count) / share
        else:
            count[:] = values.shape[1]  # who has a margin stays in the count
            adjusted = count * p / share
        equal = going & (2 * same * count / share <= ALPHA)
        now = going & ((adjusted <= ALPHA) | equal)
        verdict[now] = np.where(equal, EQUAL, np.where(less < more, 1, -1))[now]
        going &= ~now
        if n < looks[-1]:
            limit = -ndtri(ALPHA * spent[-1] / (2 * np.maximum(count, 1)))
            part = n / looks[-1]
            chance = sum(
                np.where(one < 1, ndtr((-ndtri(one) / np.sqrt(part) - limit)
                                       / np.sqrt((1 - part) / part)), 0)
                for one in (less, more, same)
            )
            going &= chance >= FUTILE
    return Ended(verdict, seeds)


def _holm(p: np.ndarray, count: np.ndarray) -> np.ndarray:
    """Adjusted p by suite; those above 1 take no part."""
    order = np.argsort(p, axis=1)
    factors = np.maximum(count - np.arange(p.shape[1]), 1)
    steps = np.maximum.accumulate(factors * np.take_along_axis(p, order, 1), axis=1)
    adjusted = np.empty_like(p)
    np.put_along_axis(adjusted, order, steps, 1)
    return adjusted


def drawn(
    shape: str, claims: int, seeds: int, suites: int, *, true: bool, start: int = 0
) -> np.ndarray:
    """Values of suites (suite, claim, side, seed); if `true`, the first four claims are."""
    rng = np.random.default_rng([start, claims, seeds, list(SHAPES).index(shape), true])
    z = rng.normal(size=(suites, claims, 2, seeds))
    if true:
        z[:, :len(EFFECTS), 1] += np.array(EFFECTS)[:, None]
    return SHAPES[shape](z)


def false_share(
    shape: str, claims: int, looks: Sequence[int], suites: int, start: int = 0
) -> float:
    """The share of suites without a true claim that have a verdict."""
    values = drawn(shape, claims, looks[-1], suites, true=False, start=start)
    return float((ended(values, looks).verdict != 0).any(1).mean())


def power(
    shape: str, claims: int, looks: Sequence[int], suites: int, start: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """By effect, the share of true claims that are confirmed, and the mean number of seeds."""
    found = ended(drawn(shape, claims, looks[-1], suites, true=True, start=start), looks)
    effects = slice(0, len(EFFECTS))
    return (found.verdict[:, effects] == 1).mean(0), found.seeds[:, effects].mean(0)


def with_margin(
    claims: int, looks: Sequence[int], suites: int, apart: float, start: int = 0
) -> tuple[float, float]:
    """Of suites whose claims all have a margin of one standard deviation, and whose rows differ
    by `apart` of these: the share with a false verdict, and the share of right verdicts.
    """
    values = drawn("normal", claims, looks[-1], suites, true=False, start=start)
    values[:, :, 1] += apart
    right = EQUAL if apart < 1 else 1
    found = ended(values, looks, 1.0).verdict
    return float(((found != 0) & (found != right)).any(1).mean()), float((found == right).mean())


def row(shape: str, looks: Sequence[int], suites: int) -> str:
    """A line of a table: suites of 5 and of 17 claims."""
    sizes = (5, 17)
    false = " / ".join(f"{100 * false_share(shape, m, looks, suites):.1f}" for m in sizes)
    found = [power(shape, m, looks, suites) for m in sizes]
    cells = [" / ".join(f"{100 * one[0][k]:.0f}" for one in found) for k in range(len(EFFECTS))]
    if len(looks) > 1:
        means = [" / ".join(f"{one[1][k]:.0f}" for one in found) for k in range(len(EFFECTS))]
        cells = [f"{cell} ({mean})" for cell, mean in zip(cells, means, strict=True)]
    seeds = "looks" if len(looks) > 1 else looks[0]
    return f"| {shape} | {seeds} | {false} | {' | '.join(cells)} |"


def margin_row(looks: Sequence[int], suites: int) -> str:
    """A line of the table of claims with a margin."""
    ends = [with_margin(m, looks, suites, apart) for apart in (0.0, 1.0) for m in (5, 17)]
    cells = [" / ".join(f"{100 * one[0]:.1f}" for one in ends[:2]),
             " / ".join(f"{100 * one[1]:.0f}" for one in ends[:2]),
             " / ".join(f"{100 * one[0]:.1f}" for one in ends[2:]),
             " / ".join(f"{100 * one[1]:.0f}" for one in ends[2:])]
    return f"| margin | {'looks' if len(looks) > 1 else looks[0]} | {' | '.join(cells)} |"


if __name__ == "__main__":
    for plan in (LOOKS, [10], [20], [40]):
        print(margin_row(plan, int(sys.argv[1])), flush=True)
    for kind in SHAPES:
        for plan in (LOOKS, [3], [5], [10], [20]):
            print(row(kind, plan, int(sys.argv[1])), flush=True)
