"""The cost of the plan that minimises ⟨P, C⟩ − ε H(P) (Cuturi, 2013, arXiv:1306.0895): the earth
mover's distance as ε → 0, the mean cost of all pairs as ε → ∞.

The plan's entropy grows with ε, up to 2 log N nats for batches of N. `sinkhorn_…_floor` is the
value between two batches of true data.
"""

import numpy as np
from torch import Tensor

from genbench.evaluation.base import Evidence, Metric, NotApplicable, count_name
from genbench.evaluation.metrics._batches import batch_costs, matched, scale_suffix
from genbench.evaluation.metrics._floors import true_floors
from genbench.evaluation.metrics._options import ScaleOptions
from genbench.evaluation.transport import entropic_plan
from genbench.fields import Count, Literal, Positive


class SinkhornDistance(ScaleOptions, Metric):
    """Cost and entropy of the entropic plan between samples and as many test rows."""

    cite = "cuturi2013sinkhorn"
    values = {
        "sinkhorn_{epsilon}": {"better": "lower", "title": "Sinkhorn distance, ε = {epsilon}"},
        "sinkhorn_{epsilon}_floor": {"better": "none", "title": "Sinkhorn floor, ε = {epsilon}"},
        "plan_entropy_{epsilon}": {
            "better": "none", "unit": "nats", "title": "entropy of the plan, ε = {epsilon}",
        },
    }
    sampled = True
    expensive = (
        ({"size": 2000, "samples": 2000},
         "a plan of {size:,} × {size:,} rows for each of {sets} sets, iterated"),
    )
    version = 2

    epsilon: Positive = 0.1
    """ε, in units of the cost."""
    size: Count = 500
    """Rows of each batch, fewer where there are fewer."""
    cost: Literal["euclidean", "squared_euclidean"] = "euclidean"
    """The ground cost, on points as `scale` says and pixels on [0, 1]."""
    iterations: Count = 100_000
    """Iterations at most, of each of the levels on which ε comes down; with small ε they are
    many. A plan that has not converged by then has no number."""
    tolerance: Positive = 1e-5
    """How far the plan's marginals may be off in all where the iterations end. The plan is then
    rounded to have them right, so that it costs no less than the best."""

    def measure(self, evidence: Evidence, sample_set: int = 0) -> dict[str, float]:
        size = matched(evidence, self.size)
        distance, plan = self._distance(evidence, evidence.samples(sample_set, size))
        held = plan[plan > 0]
        entropy = float(-(held * np.log(held)).sum())
        return {**distance, f"plan_entropy_{self.epsilon}": entropy}

    def floors(self, evidence: Evidence) -> list[dict[str, float | NotApplicable]]:
        return true_floors(
            self, evidence, "sinkhorn", matched(evidence, self.size),
            lambda x, _: self._distance(evidence, x)[0],
        )

    def protocol(self, evidence: Evidence) -> str:
        rows = count_name(matched(evidence, self.size))
        suffix = scale_suffix(evidence, self.scale)
        return f"{rows}-test-{self.cost}-tol{self.tolerance:g}{suffix}"

    def _distance(self, evidence: Evidence, rows: Tensor) -> tuple[dict[str, float], np.ndarray]:
        """The cost by its name, and the plan."""
        cost = batch_costs(evidence, rows, self.cost, self.scale)
        plan = entropic_plan(cost, self.epsilon, self.iterations, self.tolerance)
        return {f"sinkhorn_{self.epsilon}": float((plan * cost).sum())}, plan
