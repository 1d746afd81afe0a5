"""How many components of a mixture are in use, by their weights.

A component is live if its weight is over half of uniform, 0.5/T; the effective number is the
exponential of the entropy of the weights.
"""

import torch

from genbench.evaluation.base import Evidence, Metric, NotApplicable
from genbench.models.base import Mixture


class LiveComponents(Metric):
    """Components with a weight over half of uniform, and exp(entropy of the weights)."""

    values = {
        "live_components": {"better": "higher", "unit": "components", "title": "live components"},
        "effective_components": {
            "better": "higher", "unit": "components", "title": "effective components",
        },
    }
    needs = ("mixture",)

    def measure(self, evidence: Evidence, sample_set: int = 0) -> dict[str, float]:
        if not isinstance(evidence.model, Mixture):
            raise NotApplicable("the model is no mixture")
        with torch.no_grad():
            log_weights = evidence.model.mixture_log_weights().double()
        weights = log_weights.exp()
        return {
            "live_components": float((weights > 0.5 / len(weights)).sum()),
            "effective_components": float(torch.special.entr(weights).sum().exp()),
        }
