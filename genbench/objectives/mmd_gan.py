"""MMD GAN: the maximum mean discrepancy on features that a critic learns (Li et al., 2017,
arXiv:1705.08584).

    min_G max_f  MMD²(f(x), f(G(z))) − λ E ‖y − f'(f(y))‖² / dim,  y of data and samples alike

The autoencoder term keeps f injective; the weights of f are clipped, those of f' are free. Left
out: the hinge that keeps E f(x) above E f(G(z)), and the root of MMD² that the authors' code has.
"""

import torch
from torch import Tensor

from genbench.fields import Annotated, Count, Field, NonNegative, Positive
from genbench.nets.autoencoder import EnergyNet
from genbench.objectives._distances import mmd_squared
from genbench.objectives.base import Batch, Model, Noise, Terms, TrainedCritic, samples_like
from genbench.objectives.gan.game import Game, critic_backbone
from genbench.objectives.gan.penalties import clip_weights


class MMDGAN(Game):
    """A critic of features that maximises MMD² between data and samples."""

    ignores_labels = True
    refuses = (
        ({"batch": 1}, "distances within a batch need two examples at least"),
    )
    cite = "li2017mmd"
    version = 2

    variances: Annotated[list[Positive], Field(min_length=1)] = [1.0, 4.0, 16.0, 64.0, 256.0]
    """Variances of the Gaussian kernels on the features."""
    rebuild: NonNegative = 8.0
    """λ of the autoencoder term, a mean squared error per dimension."""
    clip: Positive = 0.01
    """Largest absolute weight of the encoder f."""
    features: Count = 16
    """Dimensions of the features."""

    def build(self, model: Model) -> None:
        self.network = EnergyNet(critic_backbone(self, model), self.features)

    def after_update(self, player: str, model: Model, batch: Batch, step: int) -> None:
        """Clip the encoder's weights; a clipped decoder could not reconstruct."""
        if player == "critic":
            clip_weights(self.network.down.parameters(), self.clip)

    def loss(self, player: str, model: Model, batch: Batch, noise: Noise) -> Terms:
        if player == "model":
            fake = self.network.down(samples_like(batch, model, noise))
            real = self.network.down(batch.x)
            return {"mmd": mmd_squared(real, fake, self.variances)}
        with torch.no_grad():
            samples = samples_like(batch, model, noise)
        both = torch.cat((batch.x, samples))
        codes, again = self.network(both)
        real, fake = codes.chunk(2)
        return {
            "mmd": -mmd_squared(real, fake, self.variances),
            "rebuild": self.rebuild * (again - both).square().mean(),
        }

    def score(self, x: Tensor) -> Tensor:
        """The first feature of x (B, *shape), (B,): there is no single potential."""
        return self.network.down(x)[:, 0]

    def trained_critic(self, model: Model) -> TrainedCritic:
        """The first feature, with the bound of its weights."""
        return TrainedCritic(self.score, self.clip)
