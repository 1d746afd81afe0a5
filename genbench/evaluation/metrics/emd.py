"""The primal Wasserstein-1 distance of two empirical measures (Rubner et al., 2000,
doi:10.1023/A:1026543900054, who compare the colours and textures of two images).

On a batch it is biased upwards; `emd_floor` is its value between two batches of true data. See
`wasserstein1` for points in numbers at which the bias is small.
"""

from torch import Tensor

from genbench.evaluation.base import Evidence, Metric, NotApplicable, count_name
from genbench.evaluation.metrics._batches import batch_costs, matched, scale_suffix
from genbench.evaluation.metrics._floors import true_floors
from genbench.evaluation.metrics._options import ScaleOptions
from genbench.evaluation.transport import exact_cost
from genbench.fields import Count, Literal


class EMD(ScaleOptions, Metric):
    """Exact transport cost between a batch of samples and as many test rows."""

    cite = "rubner2000earth"
    values = {
        "emd": {"better": "lower", "title": "EMD"},
        "emd_floor": {"better": "none", "title": "EMD floor"},
    }
    sampled = True
    expensive = (
        ({"size": 2000, "samples": 2000},
         "an assignment of {size:,} rows for each of {sets} sets, time as the cube"),
    )

    size: Count = 500
    """Rows of each batch, fewer where there are fewer; time grows as its cube."""
    cost: Literal["euclidean", "squared_euclidean"] = "euclidean"
    """The ground cost, on points as `scale` says and pixels on [0, 1]."""

    def measure(self, evidence: Evidence, sample_set: int = 0) -> dict[str, float]:
        size = matched(evidence, self.size)
        return self._distance(evidence, evidence.samples(sample_set, size))

    def floors(self, evidence: Evidence) -> list[dict[str, float | NotApplicable]]:
        size = matched(evidence, self.size)
        return true_floors(self, evidence, "emd", size, lambda x, _: self._distance(evidence, x))

    def protocol(self, evidence: Evidence) -> str:
        suffix = scale_suffix(evidence, self.scale)
        return f"{count_name(matched(evidence, self.size))}-test-{self.cost}{suffix}"

    def _distance(self, evidence: Evidence, rows: Tensor) -> dict[str, float]:
        return {"emd": exact_cost(batch_costs(evidence, rows, self.cost, self.scale))}
