"""The exact distribution of points on plane curves, blurred by Gaussian noise, in float64.

A point is c(t) + σ ε with t uniform on an interval and ε standard normal, so that its density is
p(x) = E_t N(x; c(t), σ² I): a smooth integral in one dimension, done by Gauss–Legendre quadrature
on panels no longer than 2σ, which leaves an error far below 1e-6.
"""

import itertools
import math
from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from genbench.data.base import Noise, Truth

_ORDER = 8
"""Gauss–Legendre nodes a panel."""
_WORK = 2**22
"""Pairs of points and nodes at once, to bound memory (8 bytes a pair, a few copies)."""
_TILE = 12
"""Grid points along a tile of side 4σ, for the entropy."""


class BlurredCurves(Truth):
    """Equally likely plane curves, t ~ U[low, high], with noise of standard deviation `std`.

    Args:
        curves: each maps t (n,) to points (n, 2).
        low, high: the range of t, in radians for the curves here.
        speed: the largest |dc/dt|, which sets the number of quadrature nodes.
        std: σ.
    """

    def __init__(
        self, curves: Sequence[Callable[[Tensor], Tensor]], low: float, high: float,
        speed: float, std: float,
    ) -> None:
        self._curves, self._low, self._high, self._std = tuple(curves), low, high, std
        span = high - low
        panels = max(math.ceil(span * speed / (2 * std)), math.ceil(4 * span))
        nodes, weights = np.polynomial.legendre.leggauss(_ORDER)
        within = (torch.from_numpy(nodes) + 1) / 2  # (order,), on [0, 1]
        t = (torch.arange(panels, dtype=torch.float64)[:, None] + within) / panels
        w = torch.from_numpy(weights / 2).repeat(panels) / panels / len(curves)
        self._nodes = torch.cat([curve(low + span * t.flatten()) for curve in curves])  # (M, 2)
        self._weights = w.repeat(len(curves))  # (M,), sums to 1

    def sample(self, n: int, noise: Noise) -> Tensor:
        t = self._low + (self._high - self._low) * noise.uniform("t", n)
        points = torch.stack([curve(t) for curve in self._curves])  # (curves, n, 2)
        which = noise.integers("curve", len(self._curves), n)
        chosen = points[which, torch.arange(n, device=which.device)]
        return chosen + self._std * noise.normal("blur", n, 2)

    def log_prob(self, x: Tensor) -> Tensor:
        nodes, weights = self._nodes.to(x.device), self._weights.to(x.device)
        step = max(1, _WORK // len(nodes))
        parts = [self._log_density(rows, nodes, weights) for rows in x.double().split(step)]
        return torch.cat(parts) if parts else x.new_zeros(0, dtype=torch.float64)

    def _log_density(self, x: Tensor, nodes: Tensor, weights: Tensor) -> Tensor:
        # (N, M): log w − |x − c|² / 2σ², with the square expanded so that it is one matrix product
        offset = weights.log() - nodes.square().sum(1) / (2 * self._std**2)
        exponent = torch.addmm(offset, x, nodes.T, alpha=1 / self._std**2)
        own = x.square().sum(1) / (2 * self._std**2)
        return exponent.logsumexp(1) - own - math.log(2 * math.pi * self._std**2)

    def entropy(self) -> float:
        return self._entropy

    @cached_property
    def _entropy(self) -> float:
        """−∫ p log p by the midpoint rule on a grid of spacing σ/3, tiles near the curve alone.

        The rule is accurate to rounding here: p log p is smooth on the scale of σ. Tiles further
        than 8σ from the curve hold less than e⁻³² of the mass.
        """
        side, spacing = 4 * self._std, 4 * self._std / _TILE
        seeds = {tuple(key) for key in (self._nodes / side).floor().long().tolist()}
        around = list(itertools.product(range(-2, 3), repeat=2))
        tiles = sorted({(i + di, j + dj) for i, j in seeds for di, dj in around})
        steps = (torch.arange(_TILE, dtype=torch.float64) + 0.5) * spacing
        local = torch.cartesian_prod(steps, steps)  # (tile², 2)
        total = 0.0
        for tile in tiles:
            corner = torch.tensor(tile, dtype=torch.float64) * side
            reach = (self._nodes - corner - side / 2).abs().amax(1)
            near = reach < side / 2 + 12 * self._std
            log_p = self._log_density(local + corner, self._nodes[near], self._weights[near])
            total -= float((log_p.exp() * log_p).sum()) * spacing**2
        return total

    def moments(self) -> tuple[Tensor, Tensor]:
        mean = self._weights @ self._nodes
        variance = self._weights @ (self._nodes - mean).square() + self._std**2
        return mean.float(), variance.sqrt().float()
