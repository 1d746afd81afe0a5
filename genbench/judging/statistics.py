"""Student's tests on training seeds, Welch and paired, and Holm's correction.

- B. L. Welch, The generalization of "Student's" problem when several different population
  variances are involved, Biometrika 34, 1947, https://doi.org/10.1093/biomet/34.1-2.28
- S. Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal of
  Statistics 6, 1979, https://www.jstor.org/stable/4615733

Every test here is of a contrast, Σ cᵢ·mean(sampleᵢ) + constant, against zero. `contrast` is
Student's: t = estimate / SE with SE² = Σ cᵢ² sᵢ²/nᵢ, and the degrees of freedom of Welch and
Satterthwaite. Two samples with c = (1, −1) are Welch's test; one sample of differences is the
paired test.

Spreads and differences below 1e-12 of the values' size are rounding and count as none. Fewer than
three seeds can say nothing: the test is not `conclusive`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from scipy.special import stdtr, stdtrit

from genbench.text.numbers import mean_and_std

ALPHA = 0.05
"""One minus the confidence of every comparison."""
MIN_SEEDS = 3
"""Fewer seeds than this give no usable estimate of their spread."""

ROUNDING = 1e-12
"""The share of the values' size that is none."""


@dataclass(frozen=True)
class Test:
    """A contrast tested against zero; p-values and limits are NaN where a spread is unknown."""

    __test__ = False  # not a test case, whatever pytest thinks of the name

    kind: str
    """`Welch`, `paired` or `one-sample`, or `exact …` or `Hall's …`, or `rank`."""
    estimate: float
    """The contrast; for two samples the difference of means, first less second."""
    standard_error: float
    df: float
    p_less: float
    """One-sided, for a contrast below zero."""
    p_greater: float
    """One-sided, for a contrast above zero."""
    low: float
    """Lower end of the 95 % confidence interval."""
    high: float
    seeds: tuple[int, ...]
    """Sizes of the samples."""
    logs: bool = False
    """Whether logarithms were compared, because of heavy tails."""
    rivals: tuple[Test, ...] = ()
    """The tests of which it is the best, itself among them; p is that of as many chances."""
    certain: bool = False
    """Whether nothing random was trained or drawn, so that any difference is one."""

    @property
    def p(self) -> float:
        """Two-sided."""
        return min(1.0, 2 * min(self.p_less, self.p_greater))

    @property
    def deterministic(self) -> bool:
        """Whether no sample has any spread."""
        return self.standard_error == 0

    @property
    def infinite(self) -> bool:
        """Whether a sample holds NaN or infinity, which count as the worst value."""
        return not math.isfinite(self.estimate)

    @property
    def conclusive(self) -> bool:
        """Whether every sample has the seeds that a verdict needs."""
        return bool(self.seeds) and min(self.seeds) >= MIN_SEEDS


class Variance(NamedTuple):
    """That of a constant which is an estimate itself, and its degrees of freedom."""

    value: float = 0.0
    df: float = math.inf


KNOWN = Variance()
"""Of a constant that is a number."""


def welch(first: Sequence[float], second: Sequence[float]) -> Test:
    """Two independent samples: mean(first) − mean(second)."""
    return contrast([(1.0, first), (-1.0, second)])


def contrast(
    terms: Sequence[tuple[float, Sequence[float]]], constant: float = 0.0, *,
    variance: Variance = KNOWN, kind: str = "", scale: float = 0.0,
) -> Test:
    """Test Σ coefficient · mean(sample) + constant against zero.

    `variance` is that of the constant, where it is known only so well. `scale` is the size of the
    numbers that the samples were computed from, where rounding is to be judged by that.

    Raises:
        ValueError: a sample is empty, or nothing varies because there is no sample.
    """
    if not terms or not all(len(values) for _, values in terms):
        raise ValueError("a test needs at least one value in every sample")
    estimate, parts, size = constant, [], max(scale, abs(constant))
    for factor, values in terms:
        size = max(size, max(abs(factor * value) for value in values))
        parts.append(_part(factor, values, max(scale, max(abs(v) for v in values))))
        estimate += factor * mean_and_std(values)[0]
    if abs(estimate) <= ROUNDING * size:
        estimate = 0.0
    error = math.sqrt(sum(parts) + variance.value)
    sizes = tuple(len(values) for _, values in terms)
    kind = kind or ("one-sample" if len(terms) == 1 else "Welch")
    df = _freedom(parts, sizes, variance)
    return _test(kind, estimate, error, df, sizes)


def _part(factor: float, values: Sequence[float], scale: float) -> float:
    """The squared standard error of one term; NaN for a single value."""
    if len(values) == 1:
        return math.nan
    std = mean_and_std(values)[1]
    return 0.0 if std <= ROUNDING * scale else factor**2 * std**2 / len(values)


def _freedom(parts: Sequence[float], sizes: Sequence[int], variance: Variance) -> float:
    """Welch–Satterthwaite degrees of freedom; scaled first, as squares of tiny numbers vanish."""
    total = sum(parts) + variance.value
    if math.isnan(total) or total == 0:
        return math.nan
    below = sum((part / total) ** 2 / (n - 1) for part, n in zip(parts, sizes, strict=True))
    below += (variance.value / total) ** 2 / variance.df
    return 1 / below if below else math.inf


def _test(kind: str, estimate: float, error: float, df: float, sizes: tuple[int, ...]) -> Test:
    if error == 0:
        less, greater = float(not estimate < 0), float(not estimate > 0)
        return Test(kind, estimate, 0.0, df, less, greater, estimate, estimate, sizes)
    if math.isnan(error):
        nan = math.nan
        return Test(kind, estimate, nan, nan, nan, nan, nan, nan, sizes)
    finite = min(df, 1e9)
    t = estimate / error
    half = float(stdtrit(finite, 1 - ALPHA / 2)) * error
    return Test(
        kind, estimate, error, df, float(stdtr(finite, t)), float(stdtr(finite, -t)),
        estimate - half, estimate + half, sizes,
    )


def holm(
    p_values: Sequence[float | None], *, stays: Sequence[bool] = (), others: int = 0
) -> list[float]:
    """Holm's adjusted p-values, in the order given; None and NaN (no test) count as 1.

    A hypothesis that is rejected leaves the count, but for those of `stays`. `others` are
    counted beside these throughout.
    """
    plain = [1.0 if p is None or math.isnan(p) else p for p in p_values]
    adjusted, largest, count = [1.0] * len(plain), 0.0, len(plain) + others
    for place in sorted(range(len(plain)), key=plain.__getitem__):
        largest = max(largest, min(1.0, count * plain[place]))
        adjusted[place] = largest
        count -= not (stays and stays[place])
    return adjusted
