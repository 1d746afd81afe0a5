"""How much the plan of transport between two batches changes when some of the examples do.

The vertex that solves the linear program, an assignment, and the entropic plan at ε (Cuturi, 2013,
arXiv:1306.0895) are computed before and after a twentieth of the samples is replaced by others of
the same model. The number is the share of the mass of the other rows that goes elsewhere then.
"""

import numpy as np

from genbench.evaluation.base import Evidence, Metric, NotApplicable, count_name
from genbench.evaluation.transport import entropic_plan
from genbench.fields import Count, Positive

_REPLACED = 20
"""One sample of so many is replaced."""


def vertex_plan(cost: np.ndarray) -> np.ndarray:
    """The plan (N, N) of the best assignment."""
    from scipy.optimize import linear_sum_assignment

    plan = np.zeros_like(cost)
    plan[linear_sum_assignment(cost)] = 1 / len(cost)
    return plan


def moved_mass(before: np.ndarray, after: np.ndarray) -> float:
    """The share of the mass of plans' rows (N, M), equal in both, that goes elsewhere."""
    return float(np.abs(after - before).sum() / (2 * before.sum()))


class PlanChange(Metric):
    """Mass of the transport plan that moves when one sample in twenty is replaced."""

    cite = "cuturi2013sinkhorn"
    values = {
        "vertex_change": {"better": "none", "title": "mass moved, linear program"},
        "plan_change_{epsilon}": {"better": "none", "title": "mass moved, ε = {epsilon}"},
    }
    kinds = ("points",)
    sampled = True

    epsilon: Positive = 1.0
    """ε, in units of the cost."""
    size: Count = 200
    """Rows of each batch, fewer where there are fewer."""

    def measure(self, evidence: Evidence, sample_set: int = 0) -> dict[str, float]:
        from scipy.spatial.distance import cdist

        size = self._size(evidence)
        replaced = size // _REPLACED
        if replaced == 0:
            raise NotApplicable(f"{size} rows are fewer than {_REPLACED}")
        drawn = evidence.samples(sample_set, size + replaced).double().numpy()
        y = evidence.reference("test", size).double().numpy()
        kept, gone, fresh = np.split(drawn, [size - replaced, size])
        costs = [cdist(np.concatenate((kept, part)), y) for part in (gone, fresh)]
        rows = slice(len(kept))
        vertices = [vertex_plan(cost)[rows] for cost in costs]
        entropic = [entropic_plan(cost, self.epsilon)[rows] for cost in costs]
        return {
            "vertex_change": moved_mass(*vertices),
            f"plan_change_{self.epsilon}": moved_mass(*entropic),
        }

    def protocol(self, evidence: Evidence) -> str:
        return f"{count_name(self._size(evidence))}-test-replaced{_REPLACED}"

    def _size(self, evidence: Evidence) -> int:
        most = evidence.at_most(self.size + self.size // _REPLACED)
        return min(most * _REPLACED // (_REPLACED + 1), self.size, len(evidence.data.test))
