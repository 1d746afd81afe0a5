"""Expectation maximisation of a mixture: components by gradient or exactly, weights exactly.

    q(c ∣ x) = p(c) p(x ∣ c) / Σ_j p(j) p(x ∣ j)
    components: max Σ_n Σ_c q(c ∣ x_n) log p(x_n ∣ c)
    weights:    p(c) ← p(c) + λ (mean_n q(c ∣ x_n) − p(c))

Dempster et al., 1977, doi:10.1111/j.2517-6161.1977.tb01600.x; with weights that wait and are
damped: Gong's thesis, 2017, section 4.2.1. With gradients, the thesis computes the weights'
responsibilities before the update of the components; here with the updated components.
"""

import torch
from torch import Tensor

from genbench.fields import Literal, Natural, Share
from genbench.models.base import Mixture
from genbench.models.mixture import MixtureModel
from genbench.objectives.base import Batch, Draw, Noise, Objective, Player, Terms


class MixtureEM(Objective[Mixture]):
    """Learns a mixture by EM on batches; the optimiser never updates the weights."""

    requires = ("density",)
    cite = "dempster1977maximum"
    refuses = (
        ({"m_step": "exact", "model.component": {"but": "nice"}},
         "exact M-steps are for Gaussian components: component: nice with component_options: "
         "{couplings: 0}"),
        ({"m_step": "exact", "model.component": "nice",
          "model.component_options.couplings": {"but": 0}},
         "exact M-steps are for Gaussian components: component_options: {couplings: 0}"),
        ({"m_step": "exact", "model.component_options.base": "logistic"},
         "exact M-steps are for Gaussian components: component_options: {base: gaussian}"),
        ({"m_step": "exact", "model.start": "random"},
         "exact M-steps refine what start: kmeans places; the model has start: random"),
    )

    delay: Natural = 0
    """Updates for which the weights are frozen."""
    damping: Share = 1.0
    """λ: how far the weights go towards the batch's mean responsibilities; 1 is plain EM."""
    m_step: Literal["gradient", "exact"] = "gradient"
    """Components are updated by the optimiser, or to the batch's maximum, which has a closed form
    for Gaussian components only (a mixture of nice with couplings: 0)."""

    def players(self, model: Mixture) -> list[Player]:
        """The weights have no gradient, and are updated after each update."""
        return [Player("model", model.groups())]

    def prepare(self, model: Mixture, draw: Draw, noise: Noise) -> None:
        self.initialise(model, draw, noise)

    def loss(self, player: str, model: Mixture, batch: Batch, noise: Noise) -> Terms:
        """Its gradient in the components is that of −Σ q log p(x ∣ c) with q held: the identity
        that EM rests on. Exact M-steps leave no gradient to follow.
        """
        own = model.component_log_prob(batch.x)
        nll = -torch.logsumexp(own + model.mixture_log_weights().detach(), dim=1).mean()
        return {"nll": nll.detach() if self.m_step == "exact" else nll}

    @torch.no_grad()
    def after_update(self, player: str, model: Mixture, batch: Batch, step: int) -> None:
        """The weights, and with exact M-steps the components, by the same responsibilities;
        components that have no such step are refused.
        """
        assert isinstance(model, MixtureModel)
        log_weights = model.mixture_log_weights()
        q = torch.softmax(model.component_log_prob(batch.x) + log_weights, dim=1)  # (B, T)
        if self.m_step == "exact":
            model.m_step(batch.x, q)
        if step >= self.delay:
            weights = log_weights.exp()
            updated = weights + self.damping * (q.mean(0) - weights)
            model.set_log_weights(_log(updated))


def _log(weights: Tensor) -> Tensor:
    return weights.clamp(min=torch.finfo(weights.dtype).tiny).log()
