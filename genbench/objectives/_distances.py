"""Distances between two sets of rows that need no critic: MMD, energy, mean and covariance.

- Arthur Gretton, Karsten Borgwardt, Malte Rasch, Bernhard Schölkopf, Alexander Smola: A Kernel
  Two-Sample Test, 2012, https://jmlr.org/papers/v13/gretton12a.html
- Gábor Székely, Maria Rizzo: Energy Statistics, 2013, https://doi.org/10.1016/j.jspi.2013.03.018
- Youssef Mroueh, Tom Sercu, Vaibhava Goel: McGan: Mean and Covariance Feature Matching GAN, 2017,
  https://arxiv.org/abs/1702.08398
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

__all__ = [
    "covariance_distance", "distances", "energy_distance", "mean_distance", "mmd_squared",
    "squared_distances",
]


def squared_distances(x: Tensor, y: Tensor) -> Tensor:
    """‖x_i − y_j‖₂² (N, M) of rows (N, d) and (M, d), never below 0."""
    square = x.square().sum(1)[:, None] + y.square().sum(1) - 2 * x @ y.t()
    return square.clamp(min=0)


def distances(x: Tensor, y: Tensor) -> Tensor:
    """‖x_i − y_j‖₂ (N, M) of rows (N, d) and (M, d), with a finite gradient at 0."""
    return (squared_distances(x, y) + 1e-12).sqrt()


def mmd_squared(x: Tensor, y: Tensor, variances: Sequence[float] | Tensor) -> Tensor:
    """The unbiased MMD² of rows x (N, d), y (M, d), N, M ≥ 2, with a mean of Gaussian kernels.

    k(a, b) = mean_v exp(−‖a − b‖² / (2v)) over the variances. May be negative.
    """
    widths = torch.as_tensor(variances).to(x)

    def kernel(a: Tensor, b: Tensor) -> Tensor:
        return torch.exp(-squared_distances(a, b)[..., None] / (2 * widths)).mean(2)

    return _off_diagonal(kernel(x, x)) + _off_diagonal(kernel(y, y)) - 2 * kernel(x, y).mean()


def energy_distance(x: Tensor, y: Tensor) -> Tensor:
    """The unbiased 2E‖X − Y‖ − E‖X − X'‖ − E‖Y − Y'‖ of rows (N, d) and (M, d), N, M ≥ 2."""
    own = _off_diagonal(distances(x, x)) + _off_diagonal(distances(y, y))
    return 2 * distances(x, y).mean() - own


def mean_distance(x: Tensor, y: Tensor) -> Tensor:
    """‖mean x − mean y‖₂ of rows (N, d) and (M, d): max over unit v of ⟨v, mean x − mean y⟩."""
    return ((x.mean(0) - y.mean(0)).square().sum() + 1e-12).sqrt()


def covariance_distance(x: Tensor, y: Tensor, rank: int) -> Tensor:
    """The sum of the largest `rank` singular values of cov x − cov y, of rows (N, d), (M, d).

    That is max Tr[Uᵀ(Σ_x − Σ_y)V] over U and V (d, rank) with orthonormal columns.
    """
    difference = torch.cov(x.t(), correction=0) - torch.cov(y.t(), correction=0)
    values = torch.linalg.eigvalsh(difference.reshape(x.shape[1], x.shape[1]))
    return values.abs().sort(descending=True).values[:rank].sum()


def _off_diagonal(pairs: Tensor) -> Tensor:
    """The mean of (N, N) without its diagonal."""
    n = len(pairs)
    return (pairs.sum() - pairs.diagonal().sum()) / (n * (n - 1))
