"""The evidence lower bound (Kingma, Welling, 2014, arXiv:1312.6114).

    −ELBO = E_q [ −log p(x ∣ z) ] + KL( q(z ∣ x) ‖ p(z) )

Of a model with a closed-form KL (`bound_terms`), reconstruction and KL are separate terms;
otherwise it is the mean of −log p(x, z)/q(z ∣ x) over draws.
"""

from genbench.fields import Count
from genbench.models.base import Bound, SplitBound, conditioning
from genbench.objectives.base import Batch, Noise, Objective, Terms


class ELBO(Objective[Bound]):
    """Maximises the variational lower bound of the likelihood."""

    cite = "kingma2014auto"

    samples: Count = 1
    """Latents drawn for each example."""

    def loss(self, player: str, model: Bound, batch: Batch, noise: Noise) -> Terms:
        context = conditioning(model, batch.labels)
        if isinstance(model, SplitBound):
            terms = model.bound_terms(batch.x, noise, self.samples, **context)
            return {name: term.mean() for name, term in terms.items()}
        return {"neg_elbo": -model.log_weights(batch.x, noise, self.samples, **context).mean()}
