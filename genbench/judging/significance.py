"""The test that every verdict rests on: claims, the gate, comparisons and bold in tables.

Student's test (`statistics`) where values are continuous, and otherwise

- an exact test (`exact`) where there is no spread, or values of a sample are tied, so that no p is
  smaller than an exact test of so few values can give; unless nothing random was trained or drawn:
  a difference is then certain;
- logarithms, where positive values have heavy tails (`exact.heavy_tailed` has the rule) and two
  positive quantities are compared: of geometric means, then. An exact test of other heavy tails;
- ranks, where a value is infinite: NaN and infinity are the worst values there are.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from scipy.special import stdtrit

from genbench.judging import exact
from genbench.judging.statistics import ALPHA, ROUNDING, Test, contrast, welch

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
    variance: float = 0.0, pairs: bool = False, certain: bool = False,
) -> Test:
    """Test Σ coefficient · mean(sample) + constant against zero, as every verdict does.

    Samples are by seed; with `pairs`, those that have the same seeds are compared seed by seed.
    `variance` is that of the constant. `certain` says that nothing random was trained or drawn.

    Raises:
        ValueError: as `contrast`.
    """
    if any(math.isinf(value) for _, values in terms for value in values.values()):
        return _by_ranks(terms, constant)
    heavy = any(exact.heavy_tailed(list(values.values())) for _, values in terms)
    logs = _logarithms(terms, constant, variance) if heavy else None
    terms, constant, variance = logs or (terms, constant, variance)
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
    return _exactly(test, samples, constant, variance, size)


def _tied(values: Sequence[float], size: float) -> bool:
    """Whether two values of a sample are the same but for rounding."""
    return any(after - before <= ROUNDING * size for before, after in pairwise(sorted(values)))


def _exactly(
    test: Test, samples: Sequence[Sequence[float]], constant: float, variance: float, size: float
) -> Test:
    """The test with the p of an exact one, or at least none below what that can give."""
    if min(test.seeds) < 2:
        return test
    if test.deterministic and test.estimate == 0:
        return replace(test, p_less=1.0, p_greater=1.0)
    found = None
    if len(samples) == 1 and not variance:
        found = exact.sign_flips([
            0.0 if abs(value + constant) <= ROUNDING * size else value + constant
            for value in samples[0]
        ])
    elif len(samples) == 2 and not variance:
        found = exact.two_samples(
            [value + constant for value in samples[0]], [-value for value in samples[1]]
        )
    if found is not None:
        return replace(test, kind=f"exact {test.kind}", p_less=found[0], p_greater=found[1])
    least = exact.floor(test.seeds)
    return replace(
        test, p_less=max(test.p_less, least), p_greater=max(test.p_greater, least)
    )


def _logarithms(
    terms: _Terms, constant: float, variance: float
) -> tuple[_Terms, float, float] | None:
    """The contrast of logarithms that has the sign of that of two positive quantities, or None."""
    quantities = [c for c, _ in terms] + [constant] * bool(constant)
    if sorted(math.copysign(1, c) for c in quantities) != [-1, 1]:
        return None
    if any(value <= 0 for _, values in terms for value in values.values()):
        return None
    moved = [
        (math.copysign(1, c), {seed: math.log(abs(c) * value) for seed, value in values.items()})
        for c, values in terms
    ]
    if not constant:
        return moved, 0.0, variance
    sign = math.copysign(1, constant)
    return moved, sign * math.log(abs(constant)), variance / constant**2


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
