"""The dual of the transport between two batches, at a Lipschitz constant K (Villani, 2009,
doi:10.1007/978-3-540-71050-9, remark 6.5):

    max over f  mean f(y) − mean f(x),   |f(a) − f(b)| ≤ K ‖a − b‖

The linear programme of the dual gives f on the samples x; everywhere else f is the largest
function that is K-Lipschitz and agrees there. The gap is K times the cost of the best assignment,
which is the primal, less the dual's value.
"""

import numpy as np
from torch import Tensor

from genbench.evaluation.base import Evidence, Metric, count_name
from genbench.evaluation.metrics._batches import matched
from genbench.evaluation.transport import assignment_cost
from genbench.fields import Count, Positive


def dual_on_samples(x: np.ndarray, y: np.ndarray, constant: float) -> np.ndarray:
    """The values (N,) on x of a function that solves the dual."""
    from scipy.optimize import linprog
    from scipy.sparse import eye_array, hstack, kron
    from scipy.spatial.distance import cdist

    n, m = len(x), len(y)
    cost = constant * cdist(x, y)
    rows = kron(eye_array(n), np.ones((m, 1)))
    columns = kron(np.ones((n, 1)), eye_array(m))
    gains = np.concatenate([np.full(n, 1 / n), np.full(m, -1 / m)])  # −f(x) and f(y), minimised
    found = linprog(
        gains, A_ub=hstack([-rows, columns]).tocsr(), b_ub=cost.ravel(), bounds=(None, None),
        method="highs",
    )
    if not found.success:
        raise ArithmeticError(f"the dual was not solved: {found.message}")
    return np.asarray(found.x[:n])


def lipschitz_dual(x: np.ndarray, y: np.ndarray, constant: float) -> float:
    """The largest mean f(y) − mean f(x), over functions of that Lipschitz constant."""
    from scipy.spatial.distance import cdist

    on_x = dual_on_samples(x, y, constant)

    def potential(points: np.ndarray) -> np.ndarray:
        return (on_x + constant * cdist(points, x)).min(1)

    return float(potential(y).mean() - potential(x).mean())


class TransportDual(Metric):
    """Value of the dual of optimal transport between samples and as many test rows."""

    cite = "villani2009optimal"
    values = {
        "dual_{lipschitz}": {"better": "none", "title": "dual value, K = {lipschitz}"},
        "duality_gap_{lipschitz}": {"better": "none", "title": "duality gap, K = {lipschitz}"},
    }
    kinds = ("points",)
    sampled = True
    expensive = (
        ({"size": 300}, "a linear program of {size:,} rows for each of {sets} sets"),
    )

    lipschitz: Positive = 1.0
    """K, the Lipschitz constant of the potential."""
    size: Count = 60
    """Rows of each batch, fewer where there are fewer."""

    def measure(self, evidence: Evidence, sample_set: int = 0) -> dict[str, float]:
        from scipy.spatial.distance import cdist

        size = matched(evidence, self.size)
        x, y = (
            _rows(each) for each in
            (evidence.samples(sample_set, size), evidence.reference("test", size))
        )
        dual = lipschitz_dual(x, y, self.lipschitz)
        return {
            f"dual_{self.lipschitz}": dual,
            f"duality_gap_{self.lipschitz}": self.lipschitz * assignment_cost(cdist(x, y)) - dual,
        }

    def protocol(self, evidence: Evidence) -> str:
        return f"{count_name(matched(evidence, self.size))}-test"


def _rows(rows: Tensor) -> np.ndarray:
    return rows.double().numpy()
