"""A grid over all that the data and the samples reach, with both densities on it."""

from dataclasses import dataclass

import torch
from torch import Tensor

from genbench.evaluation.base import Evidence, NotApplicable

_NODES = {1: 20001, 2: 401}
"""Nodes of each dimension."""
_ROWS = 5000
"""Points of each side that the grid goes beyond, by half of their range on either side."""
_MISSING = 1e-2
"""The mass that the grid may be wrong by."""


@dataclass(frozen=True)
class DensityGrid:
    """Nodes (N, D), the volume of each, and the true and the model's log density on them (N,)."""

    points: Tensor
    volume: float
    log_p: Tensor
    log_q: Tensor

    @property
    def p(self) -> Tensor:
        """The true density, (N,)."""
        return self.log_p.exp()

    @property
    def q(self) -> Tensor:
        """The model's density, (N,)."""
        return self.log_q.exp()

    @property
    def log_m(self) -> Tensor:
        """The log density of m = (p + q)/2, (N,)."""
        return torch.logaddexp(self.log_p, self.log_q) - torch.log(torch.tensor(2.0))

    def integral(self, values: Tensor) -> float:
        """∫ values, of a function (N,) that vanishes at the border."""
        return float(values.double().sum()) * self.volume


def nodes_around(evidence: Evidence) -> tuple[Tensor, float]:
    """Nodes (N, D) float32 of a grid that holds data and samples, and the volume of each.

    Raises:
        NotApplicable: data of more than two dimensions.
    """
    dims = evidence.data.shape[0]
    if evidence.data.kind != "points" or dims not in _NODES:
        raise NotApplicable("a grid is for points of one or two dimensions")
    rows = min(_ROWS, len(evidence.data.test))
    seen = torch.cat((evidence.samples(0, rows), evidence.reference("test", rows))).double()
    low, high = seen.amin(0), seen.amax(0)
    margin = (high - low) / 2
    axes = [
        torch.linspace(float(a), float(b), _NODES[dims], dtype=torch.float64)
        for a, b in zip(low - margin, high + margin, strict=True)
    ]
    volume = 1.0
    for axis in axes:
        volume *= float(axis[1] - axis[0])
    return torch.cartesian_prod(*axes).reshape(-1, dims).float(), volume


def density_grid(evidence: Evidence) -> DensityGrid:
    """Both densities on the grid, computed once.

    Raises:
        NotApplicable: a density is not known, or too narrow or too wide for the grid.
    """
    def make() -> DensityGrid:
        truth = evidence.data.truth
        if truth is None:
            raise NotApplicable("the true density is not known")
        points, volume = nodes_around(evidence)
        grid = DensityGrid(points, volume, truth.log_prob(points), evidence.log_prob(points))
        for name, density in (("true", grid.p), ("model's", grid.q)):
            if not abs(grid.integral(density) - 1) < _MISSING:
                raise NotApplicable(
                    f"the {name} density sums to {grid.integral(density):.3g} on the grid of "
                    f"{len(points):,} points"
                )
        return grid

    return evidence.once(("density grid",), make)
