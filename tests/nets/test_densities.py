"""Densities against scipy, and rounded ones against their sums."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import stats

from genbench.nets.densities import (
    base_log_prob,
    base_sample,
    discretised_gaussian,
    discretised_logistic,
    log_normal,
)
from genbench.noise import Noise

ROUNDED = (
    (discretised_logistic, lambda s: math.log(s), stats.logistic),
    (discretised_gaussian, lambda s: s, stats.norm),
)


def test_log_normal_is_scipys() -> None:
    x = torch.linspace(-3, 3, 13, dtype=torch.float64)
    for std in (0.3, torch.tensor(0.3, dtype=torch.float64)):
        ours = log_normal(x, 0.5, std)
        np.testing.assert_allclose(ours, stats.norm.logpdf(x, 0.5, 0.3), rtol=1e-12)


@pytest.mark.parametrize(("base", "law"), [("gaussian", stats.norm), ("logistic", stats.logistic)])
def test_bases_are_scipys(base: str, law: stats.rv_continuous) -> None:
    z = torch.linspace(-8, 8, 12, dtype=torch.float64).reshape(4, 3)
    np.testing.assert_allclose(base_log_prob(base, z), law.logpdf(z).sum(1), rtol=1e-12)
    draws = base_sample(base, 4000, 2, Noise(3))
    assert stats.kstest(draws[:, 0].numpy(), law.cdf).pvalue > 1e-3


def test_the_logistic_base_never_gives_infinity() -> None:
    class Edges(Noise):
        def uniform(self, name: str, *shape: int) -> torch.Tensor:
            return torch.tensor([[0.0, 1 - 2.0**-25]])

    draws = base_sample("logistic", 1, 2, Edges(0))
    assert torch.isfinite(draws).all()
    assert draws.abs().min() > 15


@pytest.mark.parametrize(("function", "scale_of", "law"), ROUNDED)
@pytest.mark.parametrize("scale", [1e-3, 0.05, 0.8, 30.0])
@pytest.mark.parametrize(("levels", "low", "high"), [(17, -1.0, 1.0), (256, 0.0, 1.0)])
def test_rounded_densities_sum_to_one(function, scale_of, law, scale, levels, low, high) -> None:  # type: ignore[no-untyped-def]
    x = torch.linspace(low, high, levels, dtype=torch.float64)
    for mean in (low - 0.3, 0.31, high):
        spread = torch.tensor(scale_of(scale), dtype=torch.float64)
        logs = function(x, torch.tensor(mean, dtype=torch.float64), spread, levels, low, high)
        assert float(logs.exp().sum()) == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize(("function", "scale_of", "law"), ROUNDED)
def test_rounded_densities_are_differences_of_cdfs(function, scale_of, law) -> None:  # type: ignore[no-untyped-def]
    x = torch.linspace(-1, 1, 17, dtype=torch.float64)
    spread = torch.tensor(scale_of(0.2), dtype=torch.float64)
    ours = function(x, torch.tensor(0.1, dtype=torch.float64), spread, 17, -1.0, 1.0)
    inner = x[1:-1].numpy()
    expected = law.cdf(inner + 1 / 16, 0.1, 0.2) - law.cdf(inner - 1 / 16, 0.1, 0.2)
    np.testing.assert_allclose(ours[1:-1].exp(), expected, rtol=1e-9)
    assert float(ours[0].exp()) == pytest.approx(law.cdf(-1 + 1 / 16, 0.1, 0.2), rel=1e-9)


@pytest.mark.parametrize(("function", "scale_of", "law"), ROUNDED)
def test_rounded_densities_have_finite_gradients_far_away(function, scale_of, law) -> None:  # type: ignore[no-untyped-def]
    x = torch.linspace(0, 1, 256)
    mean = torch.full((256,), 0.9, requires_grad=True)
    spread = torch.full((256,), scale_of(2e-3), requires_grad=True)
    logs = function(x, mean, spread, 256, 0.0, 1.0)
    logs.sum().backward()
    assert torch.isfinite(logs).all()
    assert torch.isfinite(mean.grad).all()
    assert torch.isfinite(spread.grad).all()
