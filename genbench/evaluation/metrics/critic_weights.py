"""The distribution of a critic's weights: at the clipping bound, or near zero. Its histogram is
figure 2.4 of Gong's thesis, 2017.
"""

from genbench.evaluation.base import Evidence, Metric, NotApplicable
from genbench.fields import Share


class CriticWeights(Metric):
    """The share of a critic's weights at its limit, and the median size over the largest."""

    values = {
        "weights_at_clip": {"better": "none", "title": "weights at the limit"},
        "weights_median": {"better": "none", "title": "median weight / largest"},
    }
    needs = ("critic",)

    near: Share = 0.01
    """How near the limit counts as there, as a part of it. The limit is the clip value, or the
    largest absolute weight where nothing is clipped."""

    def measure(self, evidence: Evidence, sample_set: int = 0) -> dict[str, float]:
        """Over all weights of linear and convolutional layers."""
        if evidence.critic is None or not len(evidence.critic.weights):
            raise NotApplicable("no critic was trained, or it has no layers")
        size = evidence.critic.weights.abs().double()
        largest = float(size.max())
        limit = evidence.critic.limit or largest
        return {
            "weights_at_clip": float((size >= (1 - self.near) * limit).double().mean()),
            "weights_median": float(size.median()) / largest,
        }

    def protocol(self, evidence: Evidence) -> str:
        return "" if self.near == CriticWeights.near else f"near{self.near:g}"
