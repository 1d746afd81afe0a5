"""How many seeds it takes, against simulation and a published table."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from genbench.judging.power import power, seeds_needed


@pytest.mark.parametrize(("effect", "seeds"), [
    # Cohen (1988), table 2.4.1: two-tailed 5 %, power .80, two independent samples
    (0.2, 393), (0.5, 64), (0.8, 26), (1.0, 17), (1.4, 9),
])
def test_cohens_table(effect: float, seeds: int) -> None:
    assert abs(seeds_needed(effect, paired=False) - seeds) <= 1
    assert seeds_needed(-effect, paired=False) == seeds_needed(effect, paired=False)


@pytest.mark.parametrize(("effect", "seeds", "paired"), [
    (1.0, 5, True), (2.0, 4, True), (1.5, 5, False), (0.5, 30, False),
])
def test_power_is_the_share_of_simulated_tests_that_find_it(
    effect: float, seeds: int, paired: bool
) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(effect, 1, (20_000, seeds))
    if paired:
        p = stats.ttest_1samp(x, 0, axis=1).pvalue
    else:
        p = stats.ttest_ind(x, rng.normal(0, 1, x.shape), axis=1).pvalue
    assert power(effect, seeds, paired=paired) == pytest.approx((p < 0.05).mean(), abs=0.012)


@pytest.mark.parametrize("paired", [True, False])
def test_the_number_is_the_fewest(paired: bool) -> None:
    for effect in (0.1, 0.7, 3.0, 40.0):
        n = seeds_needed(effect, paired=paired)
        assert power(effect, n, paired=paired) >= 0.8
        assert n == 2 or power(effect, n - 1, paired=paired) < 0.8


def test_what_no_number_tells_apart() -> None:
    assert seeds_needed(0.0, paired=True) is None
    assert seeds_needed(0.001, paired=True) is None
