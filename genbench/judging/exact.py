"""Exact tests by permutation: no p is smaller than these few values can give.

- R. A. Fisher, The Design of Experiments, 1935: of two samples, every assignment of the pooled
  values; of one sample (or the differences of pairs), every choice of signs.

Under the null hypothesis the values of two samples can be exchanged, and those of one sample are
as likely above as below. The p-value is the share of all arrangements that are at least as extreme
as the one seen, itself among them: 1/C(n + m, n) or 2⁻ⁿ at the least. Infinite values take part by
their ranks.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from itertools import combinations

import numpy as np

MOST = 200_000
"""Arrangements beyond which an exact test is not made: n = 10 a side are 184,756."""
HEAVY = 0.7
"""The standard deviation of logarithms, a factor of two, from which tails are heavy."""
_ROUNDING = 1e-9


def floor(sizes: Sequence[int]) -> float:
    """The smallest one-sided p of an exact test of one sample, or of the two smallest."""
    if len(sizes) == 1:
        return 2.0 ** -sizes[0]
    first, second = sorted(sizes)[:2]
    return 1 / math.comb(first + second, first)


def two_samples(
    first: Sequence[float], second: Sequence[float]
) -> tuple[float, float] | None:
    """One-sided p that the first mean is below, and above, the second; None if too many to count.

    Where a value is infinite, means of ranks are compared.
    """
    n, total = len(first), len(first) + len(second)
    if math.comb(total, n) > MOST:
        return None
    pooled = np.array([*first, *second], dtype=float)
    if np.isinf(pooled).any():
        pooled = np.array(ranked(pooled))
    pooled -= pooled.mean()
    return _shares(pooled[_assignments(total, n)].sum(1), pooled[:n].sum(), pooled)


def sign_flips(values: Sequence[float]) -> tuple[float, float] | None:
    """One-sided p that the mean is below, and above, zero; None if too many to count."""
    if 2 ** len(values) > MOST:
        return None
    array = np.array(values, dtype=float)
    return _shares(_signs(len(values)) @ array, array.sum(), array)


def ranked(values: Sequence[float] | np.ndarray) -> list[float]:
    """The values' ranks from 1, the mean of theirs for equal ones."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return [float(rank) for rank in (np.cumsum(counts) - (counts - 1) / 2)[place]]


def heavy_tailed(values: Sequence[float]) -> bool:
    """Whether a t-test on these values cannot be trusted, by a rule that is the same everywhere.

    Positive values: their logarithms are spread by `HEAVY`, and less skewed than they are. Others:
    the distance of one from the median is more than 10 times the median distance (of n − 1, as one
    of n is none). Three values at least.
    """
    if len(values) < 3 or not all(map(math.isfinite, values)) or min(values) == max(values):
        return False
    if min(values) > 0:
        return lognormal([values])
    middle = float(np.median(values))
    distances = sorted(abs(value - middle) for value in values)[1:]
    return distances[-1] > 10 * float(np.median(distances)) > 0


def lognormal(samples: Sequence[Sequence[float]]) -> bool:
    """Whether logarithms suit these samples better: each is spread by `HEAVY` on them, and they
    are together less skewed than the values.

    No part of it grows with the number of values, as the ratio of the largest to the smallest
    does: more seeds make it surer, and do not turn it.
    """
    if any(min(values) <= 0 for values in samples):
        return False
    logs = [np.log(values) for values in samples]
    if any(one.std(ddof=1) <= HEAVY for one in logs):
        return False
    return sum(map(_skewness, logs)) < sum(_skewness(np.array(values)) for values in samples)


def _skewness(values: np.ndarray) -> float:
    """Its size, 0 for a symmetric sample."""
    z = (values - values.mean()) / values.std()
    return abs(float((z**3).mean()))


def _shares(sums: np.ndarray, seen: float, values: np.ndarray) -> tuple[float, float]:
    near = _ROUNDING * float(np.abs(values).sum())
    return float((sums <= seen + near).mean()), float((sums >= seen - near).mean())


@lru_cache(maxsize=8)
def _assignments(total: int, n: int) -> np.ndarray:
    """Which of the pooled values the first sample gets, (C(total, n), n)."""
    return np.array(list(combinations(range(total), n)), dtype=np.intp)


@lru_cache(maxsize=8)
def _signs(n: int) -> np.ndarray:
    """Every choice of n signs, (2ⁿ, n)."""
    return 1.0 - 2.0 * ((np.arange(2**n)[:, None] >> np.arange(n)) & 1)
