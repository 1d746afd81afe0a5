"""Distances between two sets of rows.

MMD: Gretton et al., 2012, jmlr.org/papers/v13/gretton12a.html. Energy: Székely, Rizzo, 2013,
doi:10.1016/j.jspi.2013.03.018. Gaps of means and covariances: Mroueh et al., 2017,
arXiv:1702.08398.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from genbench.nets.precision import full_precision, to_float32


def squared_distances(x: Tensor, y: Tensor) -> Tensor:
    """‖x_i − y_j‖₂² (N, M) of rows (N, d) and (M, d), never below 0; in float32 or better.

    About the mean of y, so that no two large numbers are subtracted where the rows lie far off 0.
    """
    x, y = to_float32(x), to_float32(y)
    with full_precision(x):
        centre = y.detach().mean(0)
        x, y = x - centre, y - centre
        square = x.square().sum(1)[:, None] + y.square().sum(1) - 2 * x @ y.t()
        return square.clamp(min=0)


def distances(x: Tensor, y: Tensor) -> Tensor:
    """‖x_i − y_j‖₂ (N, M) of rows (N, d) and (M, d), with a finite gradient at 0."""
    return (squared_distances(x, y) + 1e-12).sqrt()


def mmd_squared(x: Tensor, y: Tensor, variances: Sequence[float] | Tensor) -> Tensor:
    """The unbiased MMD² of rows x (N, d), y (M, d), N, M ≥ 2, with a mean of Gaussian kernels.

    k(a, b) = mean_v exp(−‖a − b‖² / (2v)) over the variances. May be negative.
    """
    widths = torch.as_tensor(variances).to(to_float32(x))

    def kernel(a: Tensor, b: Tensor) -> Tensor:
        return torch.exp(-squared_distances(a, b)[..., None] / (2 * widths)).mean(2)

    return _off_diagonal(kernel(x, x)) + _off_diagonal(kernel(y, y)) - 2 * kernel(x, y).mean()


def energy_distance(x: Tensor, y: Tensor) -> Tensor:
    """The unbiased 2E‖X − Y‖ − E‖X − X'‖ − E‖Y − Y'‖ of rows (N, d) and (M, d), N, M ≥ 2."""
    own = _off_diagonal(distances(x, x)) + _off_diagonal(distances(y, y))
    return 2 * distances(x, y).mean() - own


def mean_gap(x: Tensor, y: Tensor, direction: Tensor) -> Tensor:
    """⟨v, mean x − mean y⟩ of rows (N, d), (M, d) and v (d,): at most ‖mean x − mean y‖ ‖v‖."""
    return (to_float32(x).mean(0) - to_float32(y).mean(0)) @ direction


def covariance_gap(x: Tensor, y: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """Tr[Uᵀ(Σ_x − Σ_y)V] of rows (N, d), (M, d), N, M ≥ 2, and U, V (d, k), without bias.

    Over U and V with orthonormal columns it is at most the sum of the k largest singular values.
    """

    def along(rows: Tensor) -> Tensor:
        centred = to_float32(rows) - to_float32(rows).mean(0)
        return ((centred @ left) * (centred @ right)).sum() / (len(rows) - 1)

    return along(x) - along(y)


def _off_diagonal(pairs: Tensor) -> Tensor:
    """The mean of (N, N) without its diagonal."""
    n = len(pairs)
    return (pairs.sum() - pairs.diagonal().sum()) / (n * (n - 1))
