"""The test that every verdict rests on: claims, the gate, comparisons and bold in tables.

Student's test (`statistics`) where values are continuous, and otherwise

- an exact test (`exact`) where there is no spread, or values of a sample are tied, so that no p is
  smaller than an exact test of so few values can give; unless nothing random was trained or drawn:
  a difference is then certain;
- logarithms, where two samples of positive values both look lognormal (`exact.lognormal` has the
  rule): geometric means are compared, then, which are ordered as the means where the samples
  differ by a factor;
- of positive values with heavy tails otherwise, the larger p of Student's t and of Hall's
  transformation of it, which takes the skewness off (P. Hall, On the removal of skewness by
  transformation, Journal of the Royal Statistical Society B 54, 1992,
  https://doi.org/10.1111/j.2517-6161.1992.tb01876.x). An exact test of other heavy tails;
- ranks, where a value is infinite: NaN and infinity are the worst values there are.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from scipy.special import stdtr, stdtrit

from genbench.judging import exact
from genbench.judging.statistics import ALPHA, KNOWN, ROUNDING, Test, Variance, contrast, welch

_Terms = Sequence[tuple[float, Mapping[int, float]]]


def difference_test(
    first: Mapping[int, float], second: Mapping[int, float], *, certain: bool = False
) -> Test:
    """mean(first) − mean(second): Welch's test, and the paired one where the seeds are the same.

    Runs of one seed share the order of the data, and may go together or not: of the two tests the
    smaller p counts, twice. By pairs alone, three seeds that do not go together would tell nothing
    from noise.
    """
    terms = [(1.0, first), (-1.0, second)]
    apart = contrast_test(terms, certain=certain)
    if first.keys() != second.keys() or apart.infinite or apart.certain or len(first) < 2:
        return apart
    paired = contrast_test(terms, pairs=True, certain=certain)
    best = min(apart, paired, key=lambda test: test.p)
    half = 0.0
    if best.standard_error > 0:
        half = float(stdtrit(min(best.df, 1e9), 1 - ALPHA / 4)) * best.standard_error
    return replace(
        best, rivals=(apart, paired), low=best.estimate - half, high=best.estimate + half,
        p_less=min(1.0, 2 * min(apart.p_less, paired.p_less)),
        p_greater=min(1.0, 2 * min(apart.p_greater, paired.p_greater)),
    )


def contrast_test(
    terms: _Terms, constant: float = 0.0, *,
    variance: Variance = KNOWN, pairs: bool = False, certain: bool = False,
) -> Test:
    """Test Σ coefficient · mean(sample) + constant against zero, as every verdict does.

    Samples are by seed; with `pairs`, those that have the same seeds are compared seed by seed.
    `variance` is that of the constant. `certain` says that nothing random was trained or drawn.

    Raises:
        ValueError: as `contrast`.
    """
    if any(math.isinf(value) for _, values in terms for value in values.values()):
        return _by_ranks(terms, constant)
    heavy = _heavy(terms)
    logs = _logarithms(terms) if heavy and not (constant or variance.value) else None
    skewed = heavy and logs is None and all(min(values.values()) > 0 for _, values in terms)
    terms = logs or terms
    scaled = [{seed: c * value for seed, value in values.items()} for c, values in terms]
    size = max(abs(value) for values in scaled for value in values.values())
    samples = [[values[seed] for seed in sorted(values)] for values in scaled]
    tied = any(_tied(values, size) for values in samples)
    shared = pairs and len({frozenset(values) for values in scaled}) == 1 < len(scaled)
    sums = [math.fsum(row) for row in zip(*samples, strict=True)] if shared else []
    # by pairs that do not vary, values that do would all be moved by the same
    shared = shared and (tied or max(sums) - min(sums) > ROUNDING * size)
    if shared:  # what is tied by pairs and by itself is discrete; by one alone it is chance
        samples = [sums]
        tied = tied and _tied(sums, size)
    test = contrast(
        [(1.0, values) for values in samples], constant, variance=variance,
        kind="paired" if shared else "", scale=size if shared else 0.0,
    )
    test = replace(test, logs=logs is not None, certain=certain and test.deterministic)
    if test.certain or not (tied or test.deterministic or (heavy and logs is None)):
        return test
    if skewed and not (tied or test.deterministic):
        return _by_skewness(test, samples)
    return _exactly(test, samples, constant, variance, size)


def _heavy(terms: _Terms) -> bool:
    """Whether a sample has heavy tails that weigh: a tenth of the contrast's variance or more."""
    squares = [np.var([c * value for value in values.values()]) for c, values in terms]
    return any(
        exact.heavy_tailed(list(values.values())) and square >= 0.1 * sum(squares)
        for square, (_, values) in zip(squares, terms, strict=True)
    )


def _tied(values: Sequence[float], size: float) -> bool:
    """Whether two values of a sample are the same but for rounding."""
    return any(after - before <= ROUNDING * size for before, after in pairwise(sorted(values)))


def _by_skewness(test: Test, samples: Sequence[Sequence[float]]) -> Test:
    """The test with the larger p of t and of Hall's monotone cubic of it."""
    third = sum(float(np.mean((np.array(one) - np.mean(one)) ** 3)) / len(one) ** 2
                for one in samples)
    skewness, t = third / test.standard_error**3, test.estimate / test.standard_error
    if not math.isfinite(t):
        return test
    moved = t + skewness / 6 + skewness * t**2 / 3 + skewness**2 * t**3 / 27
    df = min(test.df, 1e9)
    return replace(
        test, kind=f"Hall's {test.kind}", p_less=max(test.p_less, float(stdtr(df, moved))),
        p_greater=max(test.p_greater, float(stdtr(df, -moved))),
    )


def _exactly(
    test: Test, samples: Sequence[Sequence[float]], constant: float, variance: Variance,
    size: float,
) -> Test:
    """The test with the p of an exact one, or at least none below what that can give."""
    if min(test.seeds) < 2:
        return test
    if test.deterministic and test.estimate == 0:
        return replace(test, p_less=1.0, p_greater=1.0)
    found = None
    if len(samples) == 1 and not variance.value:
        found = exact.sign_flips([
            0.0 if abs(value + constant) <= ROUNDING * size else value + constant
            for value in samples[0]
        ])
    elif len(samples) == 2 and not variance.value:
        found = exact.two_samples(
            [value + constant for value in samples[0]], [-value for value in samples[1]]
        )
    if found is not None:
        return replace(test, kind=f"exact {test.kind}", p_less=found[0], p_greater=found[1])
    least = exact.floor(test.seeds)
    return replace(
        test, p_less=max(test.p_less, least), p_greater=max(test.p_greater, least)
    )


def _logarithms(terms: _Terms) -> _Terms | None:
    """The contrast of logarithms that has the sign of that of two samples, or None.

    Of both or of none: the mean of one on logarithms is not to be held against that of the other
    as it is, nor against a number.
    """
    if sorted(math.copysign(1, c) for c, _ in terms) != [-1, 1]:
        return None
    if not exact.lognormal([list(values.values()) for _, values in terms]):
        return None
    return [
        (math.copysign(1, c), {seed: math.log(abs(c) * value) for seed, value in values.items()})
        for c, values in terms
    ]


def _by_ranks(terms: _Terms, constant: float) -> Test:
    """Where values are infinite: the sign of the estimate, and the exact test of two samples."""
    sizes = tuple(len(values) for _, values in terms)
    moved = [[c * value for value in values.values()] for c, values in terms]
    ends = {value for values in moved for value in values if math.isinf(value)}
    estimate = ends.pop() if len(ends) == 1 else math.nan
    less = greater = 1.0
    if len(terms) == 2:
        found = exact.two_samples([v + constant for v in moved[0]], [-v for v in moved[1]])
        least = exact.floor(sizes)
        less, greater = found or _welch_of_ranks([v + constant for v in moved[0]],
                                             [-v for v in moved[1]])
        less, greater = max(less, least), max(greater, least)
    nan = math.nan
    return Test("rank", estimate, nan, nan, less, greater, nan, nan, sizes)


def _welch_of_ranks(first: Sequence[float], second: Sequence[float]) -> tuple[float, float]:
    """Welch's test on ranks, for more values than can be counted out."""
    ranks = exact.ranked([*first, *second])
    test = welch(ranks[:len(first)], ranks[len(first):])
    return test.p_less, test.p_greater
