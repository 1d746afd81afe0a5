"""Between disjoint supports there is a discriminator that is right everywhere and whose gradient
is zero on both (Arjovsky, Bottou, 2017, arXiv:1701.04862, theorems 2.1 and 2.2).
"""

import torch

from genbench.evaluation.base import Evidence, Metric
from genbench.evaluation.critic import discriminator

_ROWS = 2000


class PerfectDiscriminator(Metric):
    """Accuracy of the discriminator, and the norm of its gradient on data and samples."""

    cite = "arjovsky2017towards"
    values = {
        "discriminator_accuracy": {"better": "none", "title": "accuracy of D"},
        "discriminator_slope": {"better": "none", "title": "mean ‖∇D‖ on the supports"},
    }
    kinds = ("points",)
    needs = ("critic",)

    def measure(self, evidence: Evidence, sample_set: int = 0) -> dict[str, float]:
        critic = discriminator(evidence.critic)
        rows = min(_ROWS, len(evidence.data.test))
        x, y = evidence.samples(0, rows), evidence.reference("test", rows)
        both = torch.cat((x, y))
        score = critic.at(both, evidence.scaling, evidence.device).double()
        right = torch.cat((score[:rows] < 0, score[rows:] > 0))
        probability = torch.sigmoid(score)
        slope = probability * (1 - probability) * critic.slopes(
            both, evidence.scaling, evidence.device)
        return {
            "discriminator_accuracy": float(right.double().mean()),
            "discriminator_slope": float(slope.mean()),
        }

    def protocol(self, evidence: Evidence) -> str:
        return f"{min(_ROWS, len(evidence.data.test))}-test"
