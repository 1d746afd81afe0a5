"""The evidence lower bound.

Kingma, Welling, "Auto-Encoding Variational Bayes", 2014, https://arxiv.org/abs/1312.6114.

    −ELBO = E_q [ −log p(x ∣ z) ] + KL( q(z ∣ x) ‖ p(z) )

A model that knows its KL in closed form says so by `bound_terms`, and the two parts are the terms;
otherwise it is the mean of −log p(x, z)/q(z ∣ x) over draws.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from torch import Tensor

from genbench.fields import Count
from genbench.models.base import Bound, Model, conditioning
from genbench.noise import Noise
from genbench.objectives.base import Batch, Objective, Terms

__all__ = ["ELBO"]


@runtime_checkable
class _SplitBound(Protocol):
    def bound_terms(
        self, x: Tensor, noise: Noise, k: int = 1, context: Tensor | None = None
    ) -> dict[str, Tensor]: ...


class ELBO(Objective):
    """Maximises the variational lower bound of the likelihood."""

    requires = ("bound",)
    cite = "kingma2014auto"

    samples: Count = 1
    """Latents drawn for each example."""

    def loss(self, player: str, model: Model, batch: Batch, noise: Noise) -> Terms:
        """The parts of the mean negative ELBO of the batch, nats."""
        context = conditioning(model, batch.labels)
        if isinstance(model, _SplitBound):
            terms = model.bound_terms(batch.x, noise, self.samples, **context)
            return {name: term.mean() for name, term in terms.items()}
        assert isinstance(model, Bound)
        return {"neg_elbo": -model.log_weights(batch.x, noise, self.samples, **context).mean()}
