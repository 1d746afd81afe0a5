"""W₁ = min over permutations of the mean Euclidean distance of matched pairs (Villani, 2009,
doi:10.1007/978-3-540-71050-9).

Biased upwards; `w1_floor` is the value between two sets of true data. At 5000 points one
assignment takes 5 to 8 s and 700 MB; below a few thousand the finite-sample bias exceeds the
differences between good models.
"""

import numpy as np
from torch import Tensor

from genbench.evaluation.base import Evidence, Metric, NotApplicable, count_name
from genbench.evaluation.metrics._batches import scale_suffix, scaled
from genbench.evaluation.metrics._floors import true_floors
from genbench.evaluation.metrics._options import ScaleOptions
from genbench.evaluation.transport import assignment_cost
from genbench.fields import Count


def wasserstein1(x: np.ndarray, y: np.ndarray) -> float:
    """Exact W₁ between two sets of equally many points (N, D); memory 8 N² bytes."""
    from scipy.spatial.distance import cdist

    return assignment_cost(cdist(x, y))


class Wasserstein1(ScaleOptions, Metric):
    """Exact W₁ of points, beside the same figure for two true sets."""

    cite = "villani2009optimal"
    values = {
        "w1": {"better": "lower", "title": "W₁"},
        "w1_floor": {"better": "none", "title": "W₁ floor"},
    }
    kinds = ("points",)
    sampled = True
    expensive = (
        ({"size": 3000},
         "assignments of {size:,} points, {repeats} for each of {sets} sets; 5 to 8 s at 5000"),
    )
    rows_needed = "size"

    size: Count = 5000
    """Points in each of the two sets; time grows as its cube."""
    repeats: Count = 2
    """Pairs of sets for each sample set (three sample sets make six)."""

    def measure(self, evidence: Evidence, sample_set: int = 0) -> dict[str, float]:
        drawn = evidence.samples(sample_set, self.size * self.repeats)
        distances = [
            self._distance(evidence, rows, sample_set * self.repeats + r)["w1"]
            for r, rows in enumerate(drawn.split(self.size))
        ]
        return {"w1": float(np.mean(distances))}

    def floors(self, evidence: Evidence) -> list[dict[str, float | NotApplicable]]:
        return true_floors(
            self, evidence, "w1", self.size,
            lambda rows, block: self._distance(evidence, rows, block), self.repeats,
        )

    def protocol(self, evidence: Evidence) -> str:
        suffix = scale_suffix(evidence, self.scale)
        return f"{count_name(self.size)}-test-{self.repeats}repeats{suffix}"

    def _distance(self, evidence: Evidence, rows: Tensor, block: int) -> dict[str, float]:
        """To a block of test points."""
        test = evidence.reference("test")
        blocks = len(test) // self.size
        if blocks == 0:
            raise NotApplicable(f"{len(test)} test points are fewer than {self.size} (size)")
        first = block % blocks * self.size
        x, y = (
            scaled(evidence, each, self.scale).numpy()
            for each in (rows, test[first:first + self.size])
        )
        return {"w1": wasserstein1(x, y)}
