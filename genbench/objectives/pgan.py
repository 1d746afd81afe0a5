"""The personalised GAN (Gong's thesis, 2017, section 4.3): critics mixed by the posterior.

    f_mix(x) = Σ_c w_c(x) f_c(x),   w_c(x) = p(c ∣ x)
    min_G max_f  E f_mix(x) − E f_mix(G_c(z)) − λ E (‖∇f_mix(x̂)‖₂ − 1)²

The posterior is a constant in every update: no gradient goes through it, neither to the mixture
nor to x. So a constant added to f_c changes the critic's loss by as much as real and generated
examples differ in their responsibilities, while the penalty does not see it, and the critic
diverges. `bound` holds these constants.
"""

from functools import partial

import torch
from torch import Tensor, nn

from genbench.fields import Annotated, Literal, NonNegative, OneOf, Own, Positive
from genbench.models.base import Mixture
from genbench.nets.component_critics import ComponentCritics, component_critics
from genbench.objectives.base import Batch, Model, Noise, Terms, TrainedCritic
from genbench.objectives.gan.game import Game, critic_backbone
from genbench.objectives.gan.options import LossOptions
from genbench.objectives.gan.penalties import clip_weights


class PGAN(LossOptions, Game):
    """Adversarial training of a mixture with a critic for each component."""

    requires = ("mixture",)
    cite = "gong2017wasserstein"

    loss_: Annotated[str, OneOf("genbench.objectives.gan.losses:LOSSES")] | Own = "wasserstein"
    """What critic and generator minimise; or a pair of functions of one's own, each of real and
    fake scores."""
    penalty: Annotated[str, OneOf("genbench.objectives.gan.penalties:PENALTIES")] = "gradient"
    """What bounds the Lipschitz constant of f_mix: see `adversarial`."""
    assignment: Literal["posterior", "hard"] = "posterior"
    """How critics are mixed: by the posterior p(c ∣ x), or only the critic of the component under
    which x is most probable, argmax_c p(x ∣ c), which makes f_mix jump."""
    temperature: Positive = 1.0
    """The posterior's logits are divided by this; towards 0 it assigns hard, by p(c ∣ x)."""
    shared_trunk: bool = False
    """Whether the critics share all but their last, linear layer."""
    drift: NonNegative = 0.1
    """Weight of the drift term, where `bound` is drift."""
    bound: Literal["none", "drift", "centre"] = "drift"
    """What bounds the critics' free constants: nothing (as in the thesis), the term
    drift · Σ_c E[w_c f_c²] over real and generated examples, or that each f_c is taken less its
    mean over the batch's examples, weighted by w_c, which removes the constant exactly."""

    refuses = (
        ({"critic": "dcgan", "shared_trunk": False},
         "critic: dcgan is one trunk; add shared_trunk: true"),
        ({"bound": "drift", "drift": 0.0},
         "bound: drift with a drift of 0 bounds nothing; use none"),
        ({"bound": "centre", "loss": {"without": "linear"}},
         "a centred critic has no scale of its own: this loss would train it against values that "
         "the model never sees; use bound: drift, or loss: wasserstein or hinge"),
        ({"assignment": "hard", "temperature": {"but": 1.0}},
         "assignment: hard has no temperature; leave it out"),
        ({"model.conditional": True}, "the model is conditional; use adversarial"),
        ({"critic": "auto", "shared_trunk": False, "data": "images",
          "model.component": "glow"},
         "a convolutional model has convolutional critics (critic: auto), which are one trunk; "
         "add shared_trunk: true, or critic: mlp"),
        ({"critic": "auto", "shared_trunk": False, "data": "images",
          "model.component_options.network": "cnn"},
         "a convolutional model has convolutional critics (critic: auto), which are one trunk; "
         "add shared_trunk: true, or critic: mlp"),
    )

    def build(self, model: Model) -> None:
        backbone = critic_backbone(self, model)
        assert isinstance(model, Mixture)
        self.network: ComponentCritics = component_critics(
            backbone, len(model.mixture_log_weights()), shared=self.shared_trunk
        )

    def loss(self, player: str, model: Model, batch: Batch, noise: Noise) -> Terms:
        if player == "model":
            fake = model.generate(len(batch), noise)
            score = self.mixed(model, fake)
            real = self.mixed(model, batch.x) if self.pair.relative else score
            return {self.term: self.pair.model(real, score)}
        with torch.no_grad():
            fake = model.generate(len(batch), noise)
        both = torch.cat((batch.x, fake))
        points = self.regulariser.points(batch.x, fake, noise)
        weights, weights_at = self.responsibilities(model, torch.cat((both, points))).split(
            (len(both), len(points))
        )
        scores = self.network(both)  # (2B, T)
        terms: dict[str, Tensor] = {}
        if self.bound == "centre":
            total = weights.sum(0).clamp(min=1e-6)
            scores = scores - (weights * scores).sum(0) / total
        elif self.bound == "drift":
            terms["drift"] = self.drift * (weights * scores.square()).sum(1).mean()
        real_score, fake_score = (weights * scores).sum(1).chunk(2)
        terms[self.term] = self.pair.critic(real_score, fake_score)
        gradients = partial(self.network.input_gradient, weights=weights_at)
        return terms | self.regulariser.terms_at(gradients, points)

    @torch.no_grad()
    def responsibilities(self, model: Model, x: Tensor) -> Tensor:
        """The weights (B, T) of the critics at x (B, *shape); constants."""
        assert isinstance(model, Mixture)
        own = model.component_log_prob(x.detach())
        if self.assignment == "hard":
            return nn.functional.one_hot(own.argmax(1), own.shape[1]).to(own.dtype)
        return torch.softmax((own + model.mixture_log_weights()) / self.temperature, 1)

    def mixed(self, model: Model, x: Tensor) -> Tensor:
        """f_mix (B,) at x (B, *shape), differentiable in x through the critics alone."""
        return (self.responsibilities(model, x) * self.network(x)).sum(1)

    def after_update(self, player: str, model: Model, batch: Batch, step: int) -> None:
        if player == "critic" and self.clip_limit is not None:
            clip_weights(self.parameters(), self.clip_limit)

    def trained_critic(self, model: Model) -> TrainedCritic:
        """f_mix, with the model's posterior."""
        return TrainedCritic(
            partial(self.mixed, model), self.clip_limit, self.pair.probability
        )
