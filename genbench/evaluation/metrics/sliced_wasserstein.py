"""Sliced Wasserstein-1 distance: the mean W₁ of one-dimensional projections.

Bonneel et al., Sliced and Radon Wasserstein Barycenters of Measures, 2015,
https://doi.org/10.1007/s10851-014-0506-3. In one dimension the optimal assignment is by rank, so
the cost is that of sorting.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from torch import Tensor

from genbench.evaluation._base import Metric
from genbench.evaluation.evidence import Evidence, count_name
from genbench.evaluation.metrics._batches import matched, scale_suffix, scaled
from genbench.fields import Count
from genbench.noise import Noise
from genbench.seeding import derive

__all__ = ["SlicedWasserstein", "sliced_wasserstein"]

CHUNK = 50


def sliced_wasserstein(x: Tensor, y: Tensor, projections: int = 500) -> float:
    """Mean over fixed random directions of W₁ between projections of (N, D) and (N, D)."""
    directions = Noise(derive("genbench", "projections")).normal(
        "directions", projections, x.shape[1]
    )
    directions = directions / directions.norm(dim=1, keepdim=True)
    total = 0.0
    for part in directions.split(CHUNK):
        first, second = ((rows @ part.T).sort(0).values for rows in (x, y))  # (N, P)
        total += float((first - second).abs().double().mean(0).sum())
    return total / projections


class SlicedWasserstein(Metric):
    """Sliced W₁ between samples and test points."""

    values: ClassVar[dict[str, dict[str, str]]] = {
        "swd": {"better": "lower", "unit": "", "title": "sliced W₁"},
    }
    kinds: ClassVar[tuple[str, ...]] = ("points",)
    sampled: ClassVar[bool] = True

    size: Count = 10000
    """Points in each of the two sets, fewer where there are fewer."""
    projections: Count = 500
    """Random directions, the same for all runs."""
    scale: Literal["auto", "standard", "raw"] = "auto"
    """Points as they are (`raw`), or each column over its std in the test split (`standard`);
    `auto`: standard where there are several columns and the true density is not known."""

    def measure(self, evidence: Evidence, sample_set: int = 0) -> dict[str, float]:
        """The distance to a fixed choice of test points."""
        size = matched(evidence, self.size)
        x, y = (
            scaled(evidence, rows, self.scale).float()
            for rows in (evidence.samples(sample_set, size), evidence.reference("test", size))
        )
        return {"swd": sliced_wasserstein(x, y, self.projections)}

    def protocol(self, evidence: Evidence) -> str:
        """The size of the sets, the reference, the directions and the scale."""
        rows = count_name(matched(evidence, self.size))
        return f"{rows}-test-{self.projections}dirs{scale_suffix(evidence, self.scale)}"
