"""The tests on seeds against scipy.stats, and where scipy has no answer."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from genbench.judging.statistics import Variance, contrast, holm, welch
from genbench.text.numbers import mean_and_std

_value = st.floats(-1e3, 1e3).map(lambda v: round(v, 3))
_sample = st.lists(_value, min_size=2, max_size=8)


@given(_sample, _sample)
def test_welch_is_scipys(first, second):
    assume(np.std(first) > 1e-3 and np.std(second) > 1e-3)
    ours = welch(first, second)
    theirs = stats.ttest_ind(first, second, equal_var=False)
    interval = theirs.confidence_interval(0.95)
    assert ours.p == pytest.approx(theirs.pvalue, rel=1e-6, abs=1e-12)
    assert ours.df == pytest.approx(theirs.df, rel=1e-9)
    assert (ours.low, ours.high) == pytest.approx(tuple(interval), rel=1e-6, abs=1e-6)
    less = stats.ttest_ind(first, second, equal_var=False, alternative="less").pvalue
    assert ours.p_less == pytest.approx(less, rel=1e-6, abs=1e-12)
    assert ours.p_greater == pytest.approx(1 - less, abs=1e-9)


@given(st.lists(st.tuples(_value, _value), min_size=3, max_size=8))
def test_paired_is_scipys(pairs):
    first, second = zip(*pairs, strict=True)
    assume(np.std(np.subtract(first, second)) > 1e-3)
    differences = [a - b for a, b in pairs]
    ours = contrast([(1.0, differences)], kind="paired", scale=max(map(abs, [*first, *second])))
    assert ours.p == pytest.approx(stats.ttest_rel(first, second).pvalue, rel=1e-6, abs=1e-12)


def test_one_sample_is_scipys():
    values = [1.0, 2.5, 2.0, 3.25]
    ours = contrast([(1.0, values)], -1.5)
    assert ours.p == pytest.approx(stats.ttest_1samp(values, 1.5).pvalue)
    assert ours.estimate == pytest.approx(np.mean(values) - 1.5)
    assert ours.kind == "one-sample"


def test_a_contrast_scales_its_samples():
    a, b = [1.0, 2.0, 4.0], [7.0, 9.0, 8.0]
    ours = contrast([(1.0, a), (-0.5, b)], 1.0)
    theirs = stats.ttest_ind([v + 1 for v in a], [v / 2 for v in b], equal_var=False)
    assert ours.p == pytest.approx(theirs.pvalue)


def test_known_variance_of_the_constant_adds_up():
    # With a dominating known variance, the test is a z-test.
    ours = contrast([(1.0, [0.0, 1e-3, -1e-3])], -1.96, variance=Variance(1.0))
    assert ours.p == pytest.approx(2 * stats.norm.cdf(-1.96), rel=1e-4)


def test_equal_constants_are_no_difference():
    test = welch([0.1] * 3, [0.1] * 3)
    assert (test.p, test.p_less, test.p_greater, test.deterministic) == (1, 1, 1, True)


def test_different_constants_are_a_certain_difference():
    test = welch([0.1] * 3, [0.2] * 3)
    assert (test.p, test.p_less, test.p_greater) == (0, 0, 1)
    assert test.deterministic
    assert (test.low, test.high) == (test.estimate, test.estimate)


def test_rounding_is_neither_spread_nor_difference():
    ulp = np.nextafter(0.1, 1)
    assert welch([0.1, 0.1, float(ulp)], [0.1] * 3).p == 1
    assert contrast([(1.0, [0.3 - (0.1 + 0.2), 0.0])], scale=0.3).deterministic


def test_one_constant_side_is_plain_welch():
    test = welch([1.0, 1.0, 1.0], [2.0, 2.5, 3.0])
    assert test.df == pytest.approx(2)
    assert test.p == pytest.approx(stats.ttest_1samp([2.0, 2.5, 3.0], 1.0).pvalue)


def test_tiny_values_do_not_underflow():
    tiny = [v * 1e-200 for v in (1.0, 2.0, 3.0)]
    assert math.isfinite(welch(tiny, [1e-200] * 3).p) or welch(tiny, [1e-200] * 3).deterministic


def test_single_values_have_no_p():
    test = welch([1.0], [2.0, 3.0, 4.0])
    assert math.isnan(test.p_less)
    assert not test.conclusive
    assert test.estimate == -2


@pytest.mark.parametrize(("n", "conclusive"), [(2, False), (3, True)])
def test_three_seeds_are_needed(n, conclusive):
    assert welch([1.0, 2.0, 4.0], list(range(n))).conclusive is conclusive


def test_empty_samples_are_refused():
    with pytest.raises(ValueError, match="at least one value"):
        welch([], [1.0])


def test_holm_by_hand():
    # Sorted: 0.005·4, 0.01·3, 0.03·2, 0.04·1, then running maxima.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_holm_counts_what_was_not_tested():
    assert holm([0.02, None, math.nan]) == pytest.approx([0.06, 1, 1])
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=10))
def test_holm_lies_between_the_plain_p_and_bonferroni(p_values):
    adjusted = holm(p_values)
    for plain, ours in zip(p_values, adjusted, strict=True):
        assert plain <= ours <= min(1, plain * len(p_values)) + 1e-12
    order = np.argsort(p_values, kind="stable")
    assert all(np.diff(np.array(adjusted)[order]) >= 0)


def test_holm_controls_the_family():
    rng = np.random.default_rng(0)
    alarms = [min(holm(list(row))) <= 0.05 for row in rng.uniform(size=(4000, 7))]
    assert 0.035 < np.mean(alarms) < 0.06


def test_welch_keeps_its_level_at_three_seeds():
    rng = np.random.default_rng(1)
    first, second = rng.normal(size=(2, 3000, 3))
    rate = np.mean([welch(list(a), list(b)).p <= 0.05 for a, b in zip(first, second, strict=True)])
    assert rate <= 0.055


@given(_sample)
def test_mean_and_std_are_numpys(values):
    mean, std = mean_and_std(values)
    assert mean == pytest.approx(np.mean(values), abs=1e-9)
    assert std == pytest.approx(np.std(values, ddof=1), rel=1e-6, abs=1e-9)


def test_equal_values_have_exactly_no_spread():
    assert mean_and_std([0.1] * 7) == (0.1, 0.0)
    assert math.isnan(mean_and_std([0.1])[1])
