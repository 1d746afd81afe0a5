"""The Wasserstein autoencoder (Tolstikhin et al., 2018, arXiv:1711.01558) with a critic of
latents, and VEGAN (Bousquet et al., 2017, arXiv:1705.07642).

    model:   min_{G,Q}  E_x E_{z~Q(z∣x)} ‖x − G(z)‖² + λ (−E log D(z))
    critic:  max_D  E_{z~N(0,I)} log D(z) + E_x log(1 − D(Q(x)))

With a random encoder and λ = 1 it is the adversarial autoencoder (Makhzani et al., 2015,
arXiv:1511.05644).
"""

import torch

from genbench.fields import NonNegative
from genbench.models.base import Encoder
from genbench.nets.mlp import MLP
from genbench.objectives._latents import encode, latent_size
from genbench.objectives.base import Batch, Model, Noise, Terms
from genbench.objectives.gan.game import Game, check_learns
from genbench.objectives.gan.losses import cross_entropy_critic, non_saturating_model


class WAEGAN(Game):
    """An autoencoder, with a discriminator of its latents against the prior."""

    requires = ("encoder",)
    refuses = (
        ({"critic": {"but": "auto"}},
         "the critic is of latents, which are no images, and fully connected; leave critic out"),
        ({"critic_channels": {"but": 64}},
         "the critic is of latents, which are no images; leave critic_channels out"),
    )
    cite = "tolstikhin2018wasserstein"

    penalty_weight: NonNegative = 10.0
    """λ of the critic's term in the model's loss; the cost is a sum over dimensions."""

    def build(self, model: Model) -> None:
        check_learns(self, model)
        self.latent = latent_size(model, "wae_gan")
        self.network = MLP(self.latent, 1, self.critic_widths, self.critic_activation)

    def loss(self, player: str, model: Model, batch: Batch, noise: Noise) -> Terms:
        if player == "model":
            assert isinstance(model, Encoder)
            z = encode(model, batch.x, noise)
            cost = (model.decode(z) - batch.x).flatten(1).square().sum(1).mean()
            score = self.network(z).squeeze(1)
            fooled = non_saturating_model(score, score)
            return {"cost": cost, "codes": self.penalty_weight * fooled}
        with torch.no_grad():
            z = encode(model, batch.x, noise)
        prior = noise.normal("prior", *z.shape).to(z)
        scores = self.network(torch.cat((prior, z))).squeeze(1)
        return {"codes": cross_entropy_critic(*scores.chunk(2))}
