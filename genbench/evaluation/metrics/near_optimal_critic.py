"""What the gradient of a critic of nearly the optimal value may be (Bousquet et al., 2017,
arXiv:1705.07642, on training by the dual).

From the solution of the dual between two batches a critic of slope 1 is made whose value is short
of the optimum by the given share, about: that of cones over the samples,

    f(p) = min over i  (1 − s) f(xᵢ) + ‖p − xᵢ − η vᵢ‖

whose apexes lie beside the samples, by an η that is small against s times their distances. Its
gradient at xᵢ is −vᵢ, whatever direction vᵢ is. Here it is the one that points away from the test
point to which the optimal plan brings xᵢ, so that the gradient is the opposite of the optimal
critic's, whose norm is 1: the error, 2, is the largest that slope 1 lets.
"""

import numpy as np

from genbench.evaluation.base import Evidence, Metric, count_name
from genbench.evaluation.metrics._batches import matched
from genbench.evaluation.metrics.gradient_bias import directions
from genbench.evaluation.metrics.transport_dual import dual_on_samples
from genbench.fields import Count, Positive


class Cones:
    """A function of slope 1, the least of cones with given apexes (N, D) and heights (N,)."""

    def __init__(self, apexes: np.ndarray, heights: np.ndarray) -> None:
        self.apexes, self.heights = apexes, heights

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """Values (M,) at points (M, D)."""
        return np.asarray(self._all(points).min(1))

    def gradient(self, points: np.ndarray) -> np.ndarray:
        """Gradients (M, D): the direction away from the apex of the least cone."""
        return directions(points, self.apexes[self._all(points).argmin(1)])

    def _all(self, points: np.ndarray) -> np.ndarray:
        from scipy.spatial.distance import cdist

        return np.asarray(self.heights + cdist(points, self.apexes))


def misleading_critic(x: np.ndarray, towards: np.ndarray, on_x: np.ndarray, short: float) -> Cones:
    """The critic whose gradient at x (N, D) is the opposite of `towards`, unit vectors (N, D).

    `on_x` (N,) is the optimal critic on x, and `short` the share s of its value.
    """
    from scipy.spatial.distance import pdist

    eta = short * float(pdist(x).min()) / 4
    return Cones(x + eta * towards, (1 - short) * on_x)


class NearOptimalCritic(Metric):
    """Gradient of a critic of slope 1 that is short of the optimal value by a small share."""

    cite = "bousquet2017optimal"
    values = {
        "critic_shortfall_{short}": {
            "better": "none", "title": "value missing, share, s = {short}"},
        "critic_gradient_error_{short}": {
            "better": "none", "title": "error of the critic's gradient, s = {short}"},
    }
    kinds = ("points",)
    sampled = True

    short: Positive = 0.01
    """s, the share by which the critic's value may be below the optimum."""
    size: Count = 60
    """Rows of each batch, fewer where there are fewer."""

    def measure(self, evidence: Evidence, sample_set: int = 0) -> dict[str, float]:
        from scipy.optimize import linear_sum_assignment
        from scipy.spatial.distance import cdist

        size = matched(evidence, self.size)
        x, y = (
            rows.double().numpy() for rows in
            (evidence.samples(sample_set, size), evidence.reference("test", size))
        )
        cost = cdist(x, y)
        rows, columns = linear_sum_assignment(cost)
        best = float(cost[rows, columns].mean())
        optimal = directions(y[columns], x[rows])  # of slope 1, towards the data
        critic = misleading_critic(x, optimal, dual_on_samples(x, y, 1.0), self.short)
        value = float(critic(y).mean() - critic(x).mean())
        error = np.linalg.norm(critic.gradient(x) - optimal, axis=1)
        return {
            f"critic_shortfall_{self.short}": 1 - value / best,
            f"critic_gradient_error_{self.short}": float(error.mean()),
        }

    def protocol(self, evidence: Evidence) -> str:
        return f"{count_name(matched(evidence, self.size))}-test"
