"""Bidirectional GAN: the discriminator is of pairs of an example and its latent (Donahue et al.,
2017, arXiv:1605.09782).

    max_D  E_x [log D(x, E(x))] + E_z [log(1 − D(G(z), z))]
    min_{G,E}: the same (minimax), or with the labels exchanged (non_saturating):
               −E_z [log D(G(z), z)] − E_x [log(1 − D(x, E(x)))]

At the optimum the encoder inverts the generator.
"""

import torch
from torch import Tensor

from genbench.fields import Literal
from genbench.models.base import Encoder
from genbench.nets.critic import feature_network
from genbench.nets.mlp import MLP
from genbench.objectives._latents import encode, latent_size
from genbench.objectives.base import Batch, Model, Noise, Terms, TrainedCritic
from genbench.objectives.gan.game import Game, critic_backbone
from genbench.objectives.gan.losses import cross_entropy_critic


class BiGAN(Game):
    """A critic of pairs (example, latent), against a generator with an encoder."""

    requires = ("encoder",)
    cite = "donahue2017adversarial"

    loss_: Literal["minimax", "non_saturating"] = "non_saturating"
    """What the generator and the encoder minimise."""

    def build(self, model: Model) -> None:
        backbone = critic_backbone(self, model)
        self.latent, width = latent_size(model, "bigan"), self.critic_widths[-1]
        self.trunk = feature_network(backbone, width)
        self.head = MLP(width + self.latent, 1, [width], self.critic_activation)

    def loss(self, player: str, model: Model, batch: Batch, noise: Noise) -> Terms:
        with torch.set_grad_enabled(player == "model" and torch.is_grad_enabled()):
            data, samples = self._pairs(model, batch, noise)
        real, fake = self.pair_score(*data), self.pair_score(*samples)
        if player == "critic":
            return {self.loss_: cross_entropy_critic(real, fake)}
        if self.loss_ == "minimax":
            return {self.loss_: -cross_entropy_critic(real, fake)}
        return {self.loss_: cross_entropy_critic(fake, real)}

    def _pairs(
        self, model: Model, batch: Batch, noise: Noise
    ) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
        """(x, E(x)) and (G(z), z)."""
        assert isinstance(model, Encoder)
        z = noise.normal("z", len(batch), self.latent).to(batch.x)
        return (batch.x, encode(model, batch.x, noise)), (model.decode(z), z)

    def pair_score(self, x: Tensor, z: Tensor) -> Tensor:
        """The logit (B,) of a pair x (B, *shape), z (B, d) being of data."""
        return self.head(torch.cat((self.trunk(x), z), 1)).squeeze(1)

    def trained_critic(self, model: Model) -> TrainedCritic:
        """Scores an example with its mean latent."""
        assert isinstance(model, Encoder)
        return TrainedCritic(lambda x: self.pair_score(x, model.encode(x)))
