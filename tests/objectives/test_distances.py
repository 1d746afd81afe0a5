"""Distances between samples, against closed forms for Gaussians and numpy."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from torch import Tensor

from genbench.noise import Noise
from genbench.objectives._distances import (
    covariance_gap,
    distances,
    energy_distance,
    mean_gap,
    mmd_squared,
    squared_distances,
)


def gaussians(n: int, dims: int, shift: float, scale: float) -> tuple[Tensor, Tensor]:
    noise = Noise(5)
    x = noise.normal("x", n, dims).double()
    return x, shift + scale * noise.normal("y", n, dims).double()


def kernel_mean(shift: float, total: float, dims: int, variance: float) -> float:
    """E exp(−‖d‖²/2v) for d ~ N(shift·1, total·I)."""
    ratio = variance / (variance + total)
    return ratio ** (dims / 2) * math.exp(-dims * shift**2 / (2 * (variance + total)))


@pytest.mark.sweep
@pytest.mark.parametrize(("shift", "scale", "variance"), [
    (0.0, 1.0, 1.0), (1.0, 1.0, 2.0), (0.5, 2.0, 0.7), (3.0, 0.5, 5.0),
])
def test_mmd_of_gaussians(shift: float, scale: float, variance: float) -> None:
    x, y = gaussians(4000, 2, shift, scale)
    expected = (
        kernel_mean(0, 2, 2, variance) + kernel_mean(0, 2 * scale**2, 2, variance)
        - 2 * kernel_mean(shift, 1 + scale**2, 2, variance)
    )
    assert mmd_squared(x, y, [variance]).item() == pytest.approx(expected, abs=0.015)


def test_mmd_by_hand_and_over_several_kernels() -> None:
    x, y = torch.tensor([[0.0], [1.0]]).double(), torch.tensor([[2.0], [2.0]]).double()
    k = [math.exp(-d / 2) for d in (0, 1, 4)]  # of squared distances, variance 1
    expected = k[1] + k[0] - 2 * (k[2] + k[1]) / 2
    assert mmd_squared(x, y, [1.0]).item() == pytest.approx(expected)
    single = [mmd_squared(x, y, [v]).item() for v in (0.5, 3.0)]
    assert mmd_squared(x, y, [0.5, 3.0]).item() == pytest.approx(sum(single) / 2)


def test_mmd_is_unbiased() -> None:
    noise = Noise(6)
    values = [
        mmd_squared(*noise.normal(str(i), 2, 6, 2).double(), [1.0]).item() for i in range(600)
    ]
    assert np.mean(values) == pytest.approx(0, abs=4 * np.std(values) / 600**0.5)
    assert min(values) < 0


def test_energy_distance_of_gaussians() -> None:
    x, y = gaussians(5000, 1, 1.5, 1.0)
    # E|N(m, s²)| of the differences: N(1.5, 2) across, N(0, 2) within
    m, s = 1.5, 2**0.5
    across = s * (2 / math.pi) ** 0.5 * math.exp(-(m**2) / (2 * s**2)) + m * math.erf(m / 2)
    expected = 2 * across - 2 * 2 / math.pi**0.5
    assert energy_distance(x, y).item() == pytest.approx(expected, abs=0.05)


def test_energy_distance_by_hand() -> None:
    x, y = torch.tensor([[0.0], [2.0]]).double(), torch.tensor([[3.0], [4.0], [8.0]]).double()
    across = np.mean([3, 4, 8, 1, 2, 6])
    within = 2 + np.mean([1, 5, 4])
    assert energy_distance(x, y).item() == pytest.approx(2 * across - within, rel=1e-5)


def test_distances_have_a_gradient_at_zero() -> None:
    x = torch.zeros(2, 3, requires_grad=True)
    (slope,) = torch.autograd.grad(distances(x, x.detach()).sum(), x)
    assert slope.isfinite().all()


def test_sample_gradients_of_the_energy_distance_are_unbiased_and_of_transport_not() -> None:
    """K35, on Bernoulli variables as Bellemare et al. have it: the mean over samples of two."""
    p, q = 0.6, 0.3

    def mean_gradient(distance) -> float:
        theta = torch.tensor(q, dtype=torch.float64, requires_grad=True)
        total = torch.zeros((), dtype=torch.float64)
        for sample in ((0, 0), (0, 1), (1, 0), (1, 1)):
            chance = math.prod(p if s else 1 - p for s in sample)
            total = total + chance * distance(sum(sample) / 2, theta)
        return torch.autograd.grad(total, theta)[0].item()

    # between Bernoulli variables W₁ = |p − q|, and the energy distance is 2 (p − q)²
    assert mean_gradient(lambda a, b: 2 * (a - b) ** 2) == pytest.approx(-4 * (p - q))
    assert abs(mean_gradient(lambda a, b: (a - b).abs()) - (-1)) > 0.3


def test_mean_and_covariance_of_gaussians() -> None:
    x, y = gaussians(200_000, 3, 0.0, 1.0)
    y = y * torch.tensor([1.0, 2.0, 0.5]).double() + torch.tensor([3.0, 0.0, 4.0]).double()
    towards = torch.tensor([-0.6, 0.0, -0.8]).double()
    assert mean_gap(x, y, towards).item() == pytest.approx(5, abs=0.02)
    assert mean_gap(x, y, -towards).item() == pytest.approx(-5, abs=0.02)
    # the difference of the covariances is diag(0, −3, 0.75)
    axes = torch.eye(3).double()
    assert covariance_gap(x, y, axes[:, 1:2], -axes[:, 1:2]).item() == pytest.approx(3, abs=0.04)
    turned = axes[:, 1:] * torch.tensor([-1, 1])
    assert covariance_gap(x, y, axes[:, 1:], turned).item() == pytest.approx(3.75, abs=0.05)


@pytest.mark.parametrize("rank", [1, 2, 5])
def test_the_covariance_gap_reaches_the_ky_fan_norm_at_the_singular_vectors(rank: int) -> None:
    x, y = gaussians(40, 5, 0.3, 1.4)
    difference = np.cov(x.numpy().T) - np.cov(y.numpy().T)
    left, values, right = np.linalg.svd(difference)
    u, v = torch.from_numpy(left[:, :rank]), torch.from_numpy(right[:rank].T)
    assert covariance_gap(x, y, u, v).item() == pytest.approx(values[:rank].sum())
    others = torch.linalg.qr(torch.randn(5, rank, generator=torch.manual_seed(0)).double()).Q
    assert covariance_gap(x, y, others, v).item() < values[:rank].sum()


def test_the_covariance_gap_has_no_bias() -> None:
    points = torch.tensor([[0.0, 1.0], [2.0, -1.0], [5.0, 0.5]]).double()
    other = torch.tensor([[1.0, 1.0], [-2.0, 0.0], [0.5, 3.0]]).double()
    u, v = torch.eye(2).double()[:, :1], torch.tensor([[0.6], [0.8]]).double()
    pairs = list(itertools.product(range(3), repeat=2))  # all batches of two
    gaps = [covariance_gap(points[[*i]], other[[*j]], u, v) for i in pairs for j in pairs]
    difference = np.cov(points.numpy().T, bias=True) - np.cov(other.numpy().T, bias=True)
    expected = (u.numpy().T @ difference @ v.numpy()).item()
    assert torch.stack(gaps).mean().item() == pytest.approx(expected)


@pytest.mark.parametrize("distance", [
    lambda x, y: mmd_squared(x, y, [0.5, 2.0]), energy_distance,
    lambda x, y: mean_gap(x, y, x.new_tensor([0.5, -0.3, 0.2])),
    lambda x, y: covariance_gap(x, y, torch.eye(3).double()[:, :2], torch.eye(3).double()[:, 1:]),
])
def test_gradients_by_finite_differences(distance) -> None:
    x, y = gaussians(5, 3, 0.4, 1.3)
    torch.autograd.gradcheck(distance, (x.requires_grad_(), y.requires_grad_()))


@pytest.mark.parametrize("offset", [0.0, 30.0, 3000.0])
def test_distances_do_not_lose_digits_far_from_zero(offset: float) -> None:
    torch.manual_seed(0)
    x, y = (offset + torch.randn(n, 4, dtype=torch.float64) for n in (7, 9))
    exact = (x[:, None] - y).square().sum(2)
    torch.testing.assert_close(
        squared_distances(x.float(), y.float()).double(), exact, rtol=2e-2, atol=2e-2
    )
    torch.testing.assert_close(squared_distances(x, y), exact, rtol=1e-9, atol=1e-9)


def test_gradients_under_autocast_point_where_those_in_full_precision_do() -> None:
    torch.manual_seed(0)
    x, y = 3 + torch.randn(64, 16), 3 + torch.randn(64, 16)

    def slope(autocast: bool) -> torch.Tensor:
        rows = x.clone().requires_grad_()
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            mmd_squared(rows, y, [1.0, 4.0]).backward()
        assert rows.grad is not None
        return rows.grad.flatten()

    assert torch.cosine_similarity(slope(True), slope(False), dim=0) > 0.999
