"""The critic's loss at the end of training, which shows convergence or divergence."""

from genbench.evaluation.base import Evidence, Metric, NotApplicable
from genbench.evaluation.metrics._curves import last_mean
from genbench.fields import Count


class CriticLoss(Metric):
    """Mean of the critic's loss (all of its terms) over the last updates."""

    values = {"critic_loss": {"better": "none", "title": "critic loss"}}
    needs = ("critic",)

    updates: Count = 500
    """The stretch of last updates that is averaged."""

    def measure(self, evidence: Evidence, sample_set: int = 0) -> dict[str, float]:
        mean = last_mean(evidence.curves, "critic", None, self.updates)
        if mean is None:
            raise NotApplicable(f"no critic was trained in the last {self.updates} updates")
        return {"critic_loss": mean}

    def protocol(self, evidence: Evidence) -> str:
        return f"train-last{self.updates}"
