"""The mean W₁ of one-dimensional projections (Bonneel et al., 2015,
doi:10.1007/s10851-014-0506-3).

In one dimension the optimal assignment is by rank, so the cost is that of sorting (by NumPy, five
times as fast as torch). Biased upwards; `swd_floor` is the value between two sets of true data.
"""

import numpy as np
import torch
from torch import Tensor

from genbench.evaluation.base import Evidence, Metric, NotApplicable, count_name
from genbench.evaluation.metrics._batches import matched, scale_suffix, scaled
from genbench.evaluation.metrics._floors import true_floors
from genbench.evaluation.metrics._options import ScaleOptions
from genbench.fields import Count
from genbench.noise import Noise
from genbench.seeding import derive

_CHUNK = 50


def sliced_wasserstein(x: Tensor, y: Tensor, projections: int = 500) -> float:
    """Mean over fixed random directions of W₁ between projections of (N, D) and (N, D)."""
    directions = Noise(derive("genbench", "projections")).normal(
        "directions", projections, x.shape[1]
    )
    directions = directions / directions.norm(dim=1, keepdim=True)
    total = 0.0
    for part in directions.split(_CHUNK):
        first, second = (np.sort((rows @ part.T).numpy(), 0) for rows in (x, y))  # (N, P)
        total += float(torch.from_numpy(first - second).abs().double().mean(0).sum())
    return total / projections


class SlicedWasserstein(ScaleOptions, Metric):
    """Sliced W₁ between samples and test points, beside the same figure for two true sets."""

    cite = "bonneel2015sliced"
    values = {
        "swd": {"better": "lower", "title": "sliced W₁"},
        "swd_floor": {"better": "none", "title": "sliced W₁ floor"},
    }
    kinds = ("points",)
    sampled = True

    size: Count = 10000
    """Points in each of the two sets, fewer where there are fewer."""
    projections: Count = 500
    """Random directions, the same for all runs."""

    def measure(self, evidence: Evidence, sample_set: int = 0) -> dict[str, float]:
        size = matched(evidence, self.size)
        return self._distance(evidence, evidence.samples(sample_set, size))

    def floors(self, evidence: Evidence) -> list[dict[str, float | NotApplicable]]:
        size = matched(evidence, self.size)
        return true_floors(self, evidence, "swd", size, lambda x, _: self._distance(evidence, x))

    def protocol(self, evidence: Evidence) -> str:
        rows = count_name(matched(evidence, self.size))
        return f"{rows}-test-{self.projections}dirs{scale_suffix(evidence, self.scale)}"

    def _distance(self, evidence: Evidence, rows: Tensor) -> dict[str, float]:
        x, y = (
            scaled(evidence, each, self.scale).float()
            for each in (rows, evidence.reference("test", len(rows)))
        )
        return {"swd": sliced_wasserstein(x, y, self.projections)}
