"""The energy-based GAN (Zhao et al., 2017, arXiv:1609.03126). With D(x) the mean squared
reconstruction error:

    critic:  E D(x) + E max(0, m − D(G(z)))
    model:   E D(G(z)) + λ PT,   PT = 1/(N(N−1)) Σ_i Σ_{j≠i} (cos(S_i, S_j))²

PT, the pulling-away term, is over the critic's codes S of a batch of samples.
"""

import torch
from torch import Tensor
from torch.nn.functional import normalize, relu

from genbench.fields import Count, NonNegative, Positive
from genbench.nets.autoencoder import EnergyNet
from genbench.objectives.base import Batch, Model, Noise, Terms, TrainedCritic, samples_like
from genbench.objectives.gan.game import Game, critic_backbone


def pulling_away(codes: Tensor) -> Tensor:
    """The mean squared cosine between distinct rows of codes (N, d), a scalar; 0 for N = 1."""
    unit = normalize(codes, dim=1)
    squares = (unit @ unit.t()).square()
    n = len(codes)
    return (squares.sum() - squares.diagonal().sum()) / max(1, n * (n - 1))


class EBGAN(Game):
    """An autoencoder as discriminator: low energy of data, energy of samples above a margin."""

    ignores_labels = True
    cite = "zhao2017energy"
    version = 2
    changed = {2: {"data": "images", "critic": {"but": "mlp"}}}

    margin: Positive = 1.0
    """m: the critic has no gradient from samples of higher energy; in units of squared data."""
    pull_away: NonNegative = 0.1
    """λ of the pulling-away term."""
    code: Count = 32
    """Dimensions of the autoencoder's latent."""

    def build(self, model: Model) -> None:
        self.network = EnergyNet(critic_backbone(self, model), self.code)

    def loss(self, player: str, model: Model, batch: Batch, noise: Noise) -> Terms:
        if player == "model":
            fake, codes = self.energy(samples_like(batch, model, noise))
            return {"energy": fake.mean(), "pull_away": self.pull_away * pulling_away(codes)}
        with torch.no_grad():
            samples = samples_like(batch, model, noise)
        return {
            "energy": self.energy(batch.x)[0].mean(),
            "margin": relu(self.margin - self.energy(samples)[0]).mean(),
        }

    def energy(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The energy (B,) and the codes (B, code) of x (B, *shape)."""
        codes, again = self.network(x)
        return (again - x).flatten(1).square().mean(1), codes

    def score(self, x: Tensor) -> Tensor:
        """Minus the energy of x (B, *shape), (B,)."""
        return -self.energy(x)[0]

    def trained_critic(self, model: Model) -> TrainedCritic:
        return TrainedCritic(self.score)
