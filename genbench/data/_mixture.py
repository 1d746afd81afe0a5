"""The exact distribution of a finite mixture of Gaussians, in float64."""

import math
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from genbench.data.base import Modes, Noise, Truth

_CHUNK = 2**16
"""Points whose density is computed at once, to bound memory."""
_GRID_NODES = {1: 256, 2: 64, 3: 32}
"""Gauss–Hermite nodes a dimension, for the entropy; above three dimensions, Sobol points."""
_SOBOL_POWER = 15


class MixtureTruth(Truth):
    """p(x) = Σₖ wₖ N(x; μₖ, Σₖ); its components are its modes.

    Args:
        means: μ (K, D).
        covariances: Σ (K, D, D), symmetric and positive definite.
        weights: w (K,), normalised to sum to 1.

    Raises:
        torch.linalg.LinAlgError: a covariance that is not positive definite.
    """

    modes: Modes

    def __init__(self, means: Tensor, covariances: Tensor, weights: Tensor) -> None:
        weights = weights.double() / weights.double().sum()
        self.modes = Modes(means.double(), covariances.double(), weights)
        self._factors = torch.linalg.cholesky(self.modes.covariances)  # (K, D, D)
        self._whiten = torch.linalg.inv(self._factors)  # (K, D, D)
        log_volume = self._factors.diagonal(dim1=-2, dim2=-1).log().sum(-1)
        self._sampling: dict[torch.device, tuple[Tensor, ...]] = {}
        dims = means.shape[1]
        self._log_scale = weights.log() - log_volume - dims / 2 * math.log(2 * math.pi)  # (K,)

    def sample(self, n: int, noise: Noise) -> Tensor:
        means, factors, weights = self._parameters(noise.device)
        k = noise.categorical("component", weights, n)
        z = noise.normal("point", n, means.shape[1])
        return means[k] + (factors[k] @ z.unsqueeze(-1)).squeeze(-1)

    def _parameters(self, device: torch.device) -> tuple[Tensor, ...]:
        """Means, Cholesky factors and weights, float32 on `device`, where they then stay."""
        if device not in self._sampling:
            stored = (self.modes.centres, self._factors, self.modes.weights)
            self._sampling[device] = tuple(t.to(device, torch.float32) for t in stored)
        return self._sampling[device]

    def log_prob(self, x: Tensor) -> Tensor:
        return self.component_log_probs(x).logsumexp(-1)

    def component_log_probs(self, x: Tensor) -> Tensor:
        """log wₖ N(x; μₖ, Σₖ) of x (N, D), nats, (N, K) float64."""
        means, whiten, log_scale = (
            t.to(x.device) for t in (self.modes.centres, self._whiten, self._log_scale)
        )
        parts = []
        for rows in x.double().split(_CHUNK):
            z = torch.einsum("kij,nkj->nki", whiten, rows.unsqueeze(1) - means)  # (N, K, D)
            parts.append(log_scale - z.square().sum(-1) / 2)
        return torch.cat(parts) if parts else x.new_zeros(0, len(means), dtype=torch.float64)

    def entropy(self) -> float:
        """H = Σₖ wₖ (H(Nₖ) − log wₖ − Eₖ[log p(x) / (wₖ Nₖ(x))]): all is in closed form but the
        last expectation, which is zero where components do not overlap.
        """
        return self._entropy

    @cached_property
    def _entropy(self) -> float:
        z, weight = _normal_quadrature(self.modes.centres.shape[1])
        dims = z.shape[1]
        total = 0.0
        for k, w in enumerate(self.modes.weights.tolist()):
            x = self.modes.centres[k] + z @ self._factors[k].T
            terms = self.component_log_probs(x)
            overlap = float((weight * (terms.logsumexp(-1) - terms[:, k])).sum())
            own = dims / 2 * (1 + math.log(2 * math.pi)) + float(
                self._factors[k].diagonal().log().sum()
            )
            total += w * (own - math.log(w) - overlap)
        return total

    def moments(self) -> tuple[Tensor, Tensor]:
        modes = self.modes
        mean = modes.weights @ modes.centres
        variances = modes.covariances.diagonal(dim1=-2, dim2=-1) + (modes.centres - mean).square()
        return mean.float(), (modes.weights @ variances).sqrt().float()


def _normal_quadrature(dims: int) -> tuple[Tensor, Tensor]:
    """Points z (Q, D) and weights (Q,) so that Σ w f(z) ≈ E f(N(0, I)), float64."""
    if dims in _GRID_NODES:
        nodes, weights = np.polynomial.hermite_e.hermegauss(_GRID_NODES[dims])
        axes = np.meshgrid(*[nodes] * dims, indexing="ij")
        grids = np.meshgrid(*[weights / weights.sum()] * dims, indexing="ij")
        z = np.stack([axis.ravel() for axis in axes], 1)
        return torch.from_numpy(z), torch.from_numpy(np.prod(grids, axis=0).ravel())
    from scipy.stats import qmc  # slow to import, and for few data sets

    uniform = qmc.Sobol(dims, rng=0).random_base2(_SOBOL_POWER)
    z = torch.special.ndtri(torch.from_numpy(uniform).clamp(1e-12, 1 - 1e-12))
    return z, torch.full((len(z),), 1 / len(z), dtype=torch.float64)
