"""Toys: densities against their integral, their samples and independent formulas."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal

from genbench.data.base import Data, Dataset
from genbench.data.gaussians import Gaussians
from genbench.data.grid import Grid
from genbench.data.ring import Ring
from genbench.data.swiss_roll import SwissRoll
from genbench.data.two_moons import TwoMoons
from genbench.errors import DataError, GenbenchError
from genbench.noise import Noise

NOWHERE = Path("/nonexistent")
OVERLAPPING = {
    "means": [[0.0, 0.0], [1.5, 0.5], [-1.0, 2.0]],
    "covariances": [
        [[1.0, 0.3], [0.3, 0.5]], [[0.4, 0.0], [0.0, 0.4]], [[2.0, -0.5], [-0.5, 1.0]],
    ],
    "weights": [1.0, 2.0, 1.0],
}
TOYS: list[tuple[str, Dataset]] = [
    ("ring", Ring()),
    ("grid", Grid(side=2, std=0.3)),
    ("gaussians", Gaussians(**OVERLAPPING)),
    ("swiss roll", SwissRoll(turns=0.5, noise=0.6)),
    ("two moons", TwoMoons(noise=0.2)),
]
each_toy = pytest.mark.parametrize("toy", [toy for _, toy in TOYS], ids=[name for name, _ in TOYS])


def loaded(toy: Dataset) -> Data:
    return toy.load(NOWHERE, offline=True)


def plane(data: Data, step: float) -> torch.Tensor:
    """A grid that holds all of the mass."""
    low, high = data.test.x.min().item() - 3, data.test.x.max().item() + 3
    axis = torch.arange(low, high, step, dtype=torch.float64)
    return torch.cartesian_prod(axis, axis)


@each_toy
def test_density_integrates_to_one_and_gives_the_entropy(toy: Dataset) -> None:
    data = loaded(toy)
    step = 0.06
    log_p = data.truth.log_prob(plane(data, step))
    assert log_p.dtype == torch.float64
    assert float(log_p.exp().sum()) * step**2 == pytest.approx(1, abs=1e-6)
    entropy = -float((log_p.exp() * log_p).sum()) * step**2
    assert data.truth.entropy() == pytest.approx(entropy, abs=1e-5)


@each_toy
def test_samples_have_the_moments_and_the_entropy(toy: Dataset) -> None:
    data = loaded(toy)
    x = data.truth.sample(40_000, Noise(7))
    mean, std = data.truth.moments()
    assert x.dtype == torch.float32
    assert x.shape == (40_000, 2)
    torch.testing.assert_close(x.mean(0), mean, atol=5 * float(std.max()) / 200, rtol=0)
    torch.testing.assert_close(x.std(0), std, atol=0, rtol=0.02)
    log_p = data.truth.log_prob(x)
    error = 5 * float(log_p.std()) / 200
    assert -float(log_p.mean()) == pytest.approx(data.truth.entropy(), abs=error)


@each_toy
def test_splits_are_fixed_and_fresh_by_default(toy: Dataset) -> None:
    first, second = loaded(toy), loaded(toy)
    assert first.train is None
    assert first.kind == "points"
    assert first.shape == (2,)
    assert len(first.test) == 20_000
    assert torch.equal(first.test.x, second.test.x)
    assert first.fingerprint == second.fingerprint


def test_train_and_test_splits_are_independent() -> None:
    data = loaded(Ring(train_size=500, test_size=500))
    assert len(data.train) == 500
    assert not torch.isin(data.train.x, data.test.x).any()
    other = loaded(Ring(train_size=500, test_size=500, test_seed=1))
    assert torch.equal(data.train.x, other.train.x)
    assert not torch.equal(data.test.x, other.test.x)
    assert data.fingerprint != other.fingerprint


def test_ring_has_the_analytic_entropy_of_separated_modes() -> None:
    truth = loaded(Ring()).truth
    assert truth.entropy() == pytest.approx(math.log(6) + math.log(2 * math.pi * math.e * 0.1))


def test_ring_modes_lie_on_the_circle_from_the_angle_on() -> None:
    modes = loaded(Ring(modes=4, radius=2.0, variance=0.25, angle=math.pi / 2)).truth.modes
    expected = torch.tensor([[0, 2], [-2, 0], [0, -2], [2, 0]], dtype=torch.float64)
    torch.testing.assert_close(modes.centres, expected, atol=1e-12, rtol=0)
    torch.testing.assert_close(modes.covariances, 0.25 * torch.eye(2).double().repeat(4, 1, 1))
    torch.testing.assert_close(modes.weights, torch.full((4,), 0.25).double())


def test_grid_is_five_by_five_and_centred() -> None:
    modes = loaded(Grid()).truth.modes
    assert sorted({round(value, 9) for value in modes.centres[:, 0].tolist()}) == [-4, -2, 0, 2, 4]
    assert len(modes.weights) == 25
    assert float(modes.centres.sum()) == 0


def test_gaussians_density_against_scipy() -> None:
    truth = loaded(Gaussians(**OVERLAPPING)).truth
    x = torch.randn(50, 2, generator=torch.Generator().manual_seed(0)) * 3
    density = sum(
        weight / 4 * multivariate_normal(mean, covariance).pdf(x.numpy().astype(float))
        for mean, covariance, weight in zip(*OVERLAPPING.values(), strict=True)
    )
    np.testing.assert_allclose(truth.log_prob(x).numpy(), np.log(density), rtol=1e-12)


@pytest.mark.parametrize("dims", [1, 3, 5])
def test_entropy_of_one_gaussian_in_any_dimension(dims: int) -> None:
    means = [[0.0] * dims, [0.0] * dims]  # two equal components are one
    truth = loaded(Gaussians(means=means, covariances=2.0, test_size=10)).truth
    expected = dims / 2 * math.log(2 * math.pi * math.e * 2)
    assert truth.entropy() == pytest.approx(expected, abs=1e-6)


def test_entropy_by_sobol_points_agrees_with_the_plane() -> None:
    flat = loaded(Gaussians(means=[[0.0, 0.0], [1.5, 0.0]], test_size=10)).truth
    deep = loaded(Gaussians(means=[[0.0] * 5, [1.5, *[0.0] * 4]], test_size=10)).truth
    extra = 3 / 2 * math.log(2 * math.pi * math.e)
    assert deep.entropy() == pytest.approx(flat.entropy() + extra, abs=1e-3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"means": [[0.0], [1.0, 2.0]]}, "same number of coordinates"),
        ({"means": []}, "same number of coordinates"),
        ({"means": [[float("nan")]]}, "finite"),
        ({"means": [[0.0], [1.0]], "weights": [1.0]}, "expected 2, one a mean, got 1"),
        ({"means": [[0.0, 0.0]], "covariances": [[[1.0]]]}, "expected 2 × 2"),
        ({"means": [[0.0]], "covariances": [[[1.0]], [[1.0]]]}, "expected 1, one a mean, got 2"),
        ({"means": [[0.0, 0.0]], "covariances": [[[1.0, 0.5], [0.2, 1.0]]]}, "not symmetric"),
        ({"means": [[0.0, 0.0]], "covariances": [[[1.0, 2.0], [2.0, 1.0]]]}, "positive definite"),
    ],
)
def test_gaussians_that_are_none_are_refused(options: dict, message: str) -> None:
    with pytest.raises(DataError, match=message):
        loaded(Gaussians(**options))


@pytest.mark.parametrize("options", [{"variance": 0.0}, {"modes": 0}, {"radius": -1.0}, {"r": 1}])
def test_options_out_of_range_are_refused(options: dict) -> None:
    with pytest.raises(GenbenchError):
        Ring(**options)


@pytest.mark.parametrize("std", [0.3, 0.05])
def test_swiss_roll_density_against_a_dense_midpoint_rule(std: float) -> None:
    truth = loaded(SwissRoll(noise=std, test_size=10)).truth
    x = loaded(SwissRoll(noise=0.5, test_size=40)).test.x.double()
    x = torch.cat([x, x.new_tensor([[0.0, 0.0], [18.849, 0.0], [19.5, -1.0], [40.0, 40.0]])])
    count = 400_000
    t = 1.5 * math.pi * (1 + 3 * (torch.arange(count, dtype=torch.float64) + 0.5) / count)
    curve = torch.stack([t * t.cos(), t * t.sin()], 1)
    expected = torch.stack([
        (-(row - curve).square().sum(1) / (2 * std**2)).logsumexp(0) for row in x
    ]) - math.log(count * 2 * math.pi * std**2)
    torch.testing.assert_close(truth.log_prob(x), expected, atol=1e-5, rtol=1e-6)


def test_swiss_roll_density_matches_a_fine_histogram() -> None:
    """Many draws in cells of 0.4; the expected counts by a midpoint rule in each."""
    truth = SwissRoll().load(Path()).truth
    assert truth is not None
    n, side, cells, parts = 200_000, 0.4, 110, 2
    edges = -22 + side * np.arange(cells + 1)
    x = truth.sample(n, Noise(11)).double().numpy()
    counts, _, _ = np.histogram2d(x[:, 0], x[:, 1], bins=(edges, edges))
    line = torch.from_numpy(-22 + side / parts * (np.arange(cells * parts) + 0.5))
    mass = truth.log_prob(torch.cartesian_prod(line, line)).exp() * (side / parts) ** 2
    expected = n * mass.reshape(cells, parts, cells, parts).sum((1, 3)).numpy()
    assert expected.sum() == pytest.approx(n, rel=1e-4)
    full = expected > 10
    assert full.sum() > 2000
    pearson = ((counts - expected) ** 2 / expected)[full].sum()
    freedom = full.sum()
    assert abs(pearson - freedom) < 5 * math.sqrt(2 * freedom)


def test_swiss_roll_entropy_is_the_pinned_one() -> None:
    assert loaded(SwissRoll(test_size=10)).truth.entropy() == pytest.approx(5.786, abs=1e-3)


def test_two_moons_are_those_of_scikit_learn() -> None:
    from sklearn.datasets import make_moons

    theirs, _ = make_moons(4000, noise=0.1, random_state=0)
    data = loaded(TwoMoons(noise=0.1))
    log_p = data.truth.log_prob(torch.from_numpy(theirs))
    error = 5 * float(log_p.std()) / math.sqrt(4000)
    assert -float(log_p.mean()) == pytest.approx(data.truth.entropy(), abs=error)


def test_log_prob_of_no_points_and_of_far_ones() -> None:
    for _, toy in TOYS:
        truth = loaded(toy).truth
        assert truth.log_prob(torch.zeros(0, 2)).shape == (0,)
        assert truth.log_prob(torch.full((1, 2), 1e6)).isfinite().all()
