"""MIX+GAN: a mixture of generators against a mixture of critics (Arora et al., 2017,
arXiv:1703.00573). With weights w of the T generators, u of the critics, and a loss pair (ℓ_D,
ℓ_G):

    critics:     min Σ_ij u_i w_j ℓ_D(D_i, G_j) + λ R(u) + the mean over critics of the penalty
    generators:  min Σ_ij u_i w_j ℓ_G(D_i, G_j) + λ R(w),   R(w) = −(1/T) Σ_j log w_j

Every generator makes ⌈B/T⌉ samples of a batch of B.
"""

import math
from functools import partial

import torch
from torch import Tensor, nn

from genbench.fields import Annotated, Count, NonNegative, OneOf
from genbench.models.base import MixtureOfGenerators
from genbench.nets.critic import critic_network
from genbench.objectives.base import Batch, Model, Noise, Player, Terms, TrainedCritic
from genbench.objectives.gan.game import Game, critic_backbone, players_of
from genbench.objectives.gan.options import LossOptions
from genbench.objectives.gan.penalties import clip_weights, input_gradient


class MixGAN(LossOptions, Game):
    """Several critics against several generators, each with learned weights."""

    critic_groups = ("weights",)
    requires = ("mixture_of_generators",)
    cite = "arora2017generalization"

    loss_: Annotated[str, OneOf("genbench.objectives.gan.losses:LOSSES")] = "non_saturating"
    """What critics and generators minimise, each pair of them."""
    critics: Count = 3
    """Number of critics."""
    weight_entropy: NonNegative = 0.1
    """λ of the term that keeps the weights of either side from vanishing."""

    def build(self, model: Model) -> None:
        backbone = critic_backbone(self, model)
        self.networks = nn.ModuleList(critic_network(backbone) for _ in range(self.critics))
        self.logits = nn.Parameter(torch.zeros(self.critics))

    def players(self, model: Model) -> list[Player]:
        groups = {"": list(self.networks.parameters()), "weights": [self.logits]}
        return players_of(self, model, groups)

    def after_update(self, player: str, model: Model, batch: Batch, step: int) -> None:
        """Clip the critics' weights, but not those that mix them."""
        if player == "critic" and self.clip_limit is not None:
            clip_weights(self.networks.parameters(), self.clip_limit)

    def loss(self, player: str, model: Model, batch: Batch, noise: Noise) -> Terms:
        assert isinstance(model, MixtureOfGenerators)
        pair = self.pair
        own = model.component_log_weights()
        each = math.ceil(len(batch) / len(own))
        critics = torch.softmax(self.logits, 0)
        if player == "model":
            fakes = model.generate_components(each, noise)  # (T, n, *shape)
            scores = self._scores(fakes.flatten(0, 1)).unflatten(1, fakes.shape[:2])
            losses = torch.stack([
                torch.stack([pair.model(part, part) for part in of_critic]) for of_critic in scores
            ])  # (critics, T)
            payoff = (critics.detach() @ losses) @ own.exp()
            return {self.loss_: payoff, "weights": -self.weight_entropy * own.mean()}
        with torch.no_grad():
            fakes, shares = model.generate_components(each, noise), own.exp()
        real = self._scores(batch.x)  # (critics, B)
        fake = self._scores(fakes.flatten(0, 1)).unflatten(1, fakes.shape[:2])
        losses = torch.stack([
            torch.stack([pair.critic(real[i], part) for part in fake[i]])
            for i in range(self.critics)
        ])
        terms: dict[str, Tensor] = {
            self.loss_: critics @ (losses @ shares),
            "weights": -self.weight_entropy * torch.log_softmax(self.logits, 0).mean(),
        }
        if self.drift:
            terms["drift"] = self.drift * real.square().mean()
        samples = fakes.transpose(0, 1).flatten(0, 1)[: len(batch)]
        for i, network in enumerate(self.networks):
            found = self.regulariser.terms(
                partial(input_gradient, network), batch.x, samples, noise.child(i)
            )
            for name, value in found.items():
                part = value / self.critics
                terms[name] = terms[name] + part if name in terms else part
        return terms

    def _scores(self, x: Tensor) -> Tensor:
        """Every critic's score of x (B, *shape), (critics, B)."""
        return torch.stack([network(x) for network in self.networks])

    def score(self, x: Tensor) -> Tensor:
        """The critics' scores (B,) of x (B, *shape), weighted."""
        return torch.softmax(self.logits, 0) @ self._scores(x)

    def trained_critic(self, model: Model) -> TrainedCritic:
        return TrainedCritic(self.score, self.clip_limit, self.pair.probability)
