"""Whether the encoder inverts the generator, as it does at the optimum of Donahue et al., 2017,
arXiv:1605.09782: E(G(z)), z from the prior.

Mean squared error per dimension of z, whose variance is 1: 0 is an exact inverse; a constant E has
about 1.
"""

import torch

from genbench.evaluation.base import Evidence, Metric, NotApplicable
from genbench.fields import Count
from genbench.models.base import Encoder, Latent

_BATCH = 500


class InverseConsistency(Metric):
    """Mean squared error per dimension of codes passed through the generator and the encoder."""

    cite = "donahue2017adversarial"
    values = {"code_error": {"better": "lower", "title": "code MSE"}}
    needs = ("encoder",)

    points: Count = 5000
    """Codes drawn from the prior."""

    def measure(self, evidence: Evidence, sample_set: int = 0) -> dict[str, float]:
        model = evidence.model
        if not isinstance(model, Encoder) or not isinstance(model, Latent):
            raise NotApplicable("the model has no encoder of a Gaussian code")
        if model.conditional:
            raise NotApplicable("a conditional model; codes from the prior have no labels")
        z = evidence.noise.child("codes").normal("z", self.points, model.latent)
        z = z.to(evidence.device)
        with torch.no_grad():
            errors = [
                (model.encode(model.decode(part)) - part).double().square().mean(1)
                for part in z.split(_BATCH)
            ]
        return {"code_error": float(torch.cat(errors).mean())}

    def protocol(self, evidence: Evidence) -> str:
        return f"prior-{self.points}"
