"""How much of a critic is more than a quadratic function, which sees means and covariances alone.

In figure 2.3 of Gong's thesis, 2017, a critic of clipped weights is too smooth to see the higher
moments of the data. A least-squares fit of all monomials up to the second degree to its score, on
samples and as many test points, leaves the share 1 − R² of the score's variance.
"""

import numpy as np
import torch

from genbench.evaluation.base import Evidence, Metric, NotApplicable

_ROWS = 2000


def beyond_quadratic(points: np.ndarray, values: np.ndarray) -> float:
    """1 − R² of the best quadratic function of points (N, D) for values (N,).

    Raises:
        NotApplicable: values that are all equal.
    """
    values = values - values.mean()
    if not (values**2).sum() > 0:
        raise NotApplicable("the critic is constant")
    points = (points - points.mean(0)) / points.std(0).clip(1e-12)
    rows, columns = np.triu_indices(points.shape[1])
    design = np.column_stack(
        (np.ones(len(points)), points, points[:, rows] * points[:, columns]))
    fitted = design @ np.linalg.lstsq(design, values, rcond=None)[0]
    return float(((values - fitted) ** 2).sum() / (values**2).sum())


class CriticMoments(Metric):
    """Share of the critic's variance that no quadratic function explains."""

    values = {
        "higher_moments": {"better": "none", "title": "critic beyond a quadratic, share"},
    }
    kinds = ("points",)
    needs = ("critic",)

    def measure(self, evidence: Evidence, sample_set: int = 0) -> dict[str, float]:
        if evidence.critic is None:
            raise NotApplicable("no critic was trained")
        rows = min(_ROWS, len(evidence.data.test))
        both = torch.cat((evidence.samples(0, rows), evidence.reference("test", rows)))
        score = evidence.critic.at(both, evidence.scaling, evidence.device)
        return {
            "higher_moments": beyond_quadratic(both.double().numpy(), score.double().numpy())
        }

    def protocol(self, evidence: Evidence) -> str:
        return f"{min(_ROWS, len(evidence.data.test))}-test"
