"""The Cramér GAN: the energy distance on features that a critic learns (Bellemare et al., 2017,
arXiv:1705.10743). With h the critic's features and x' an independent sample:

    f(x) = E ‖h(x) − h(x')‖ − ‖h(x)‖
    critic:  E f(G(z)) − E f(x) + λ E (‖∇f(x̂)‖ − 1)²,   x̂ between data and samples
    model:   2E ‖h(x) − h(G)‖ − E ‖h(G) − h(G')‖ − E ‖h(x) − h(x')‖
"""

import torch
from torch import Tensor

from genbench.fields import Count, NonNegative
from genbench.nets.critic import feature_network
from genbench.nets.precision import to_float32
from genbench.objectives._distances import distances, energy_distance
from genbench.objectives.base import Batch, Model, Noise, Terms, TrainedCritic, samples_like
from genbench.objectives.gan.game import Game, critic_backbone
from genbench.objectives.gan.penalties import gradient_penalty, input_gradient, interpolate


class Cramer(Game):
    """A critic of features that maximises the energy distance between data and samples."""

    ignores_labels = True
    refuses = (
        ({"batch": 1}, "distances within a batch need two examples at least"),
    )
    cite = "bellemare2017cramer"
    version = 2

    penalty_weight: NonNegative = 10.0
    """λ of the gradient penalty."""
    features: Count = 32
    """Dimensions of the features."""

    def build(self, model: Model) -> None:
        self.network = feature_network(critic_backbone(self, model), self.features)

    def loss(self, player: str, model: Model, batch: Batch, noise: Noise) -> Terms:
        if player == "model":
            fake = self.network(samples_like(batch, model, noise))
            return {"energy_distance": energy_distance(self.network(batch.x), fake)}
        with torch.no_grad():
            samples = samples_like(batch, model, noise)
            others = samples_like(batch, model, noise.child("others"))
        real, fake, other = self.network(torch.cat((batch.x, samples, others))).chunk(3)
        loss = self._potential(fake, other).mean() - self._potential(real, other).mean()
        if self.penalty_weight == 0:
            return {"potential": loss}
        between = interpolate(batch.x, samples, noise.uniform("interpolate", len(batch)))
        gradient = input_gradient(lambda x: self._potential(self.network(x), other), between)
        penalty = self.penalty_weight * gradient_penalty(gradient)
        return {"potential": loss, "gradient_penalty": penalty}

    def _potential(self, features: Tensor, other: Tensor) -> Tensor:
        """f (B,) at features (B, d), against features of independent samples (N, d)."""
        norm = (to_float32(features).square().sum(1) + 1e-12).sqrt()
        return distances(features, other).mean(1) - norm

    def trained_critic(self, model: Model) -> TrainedCritic:
        """f against 256 samples of the model."""

        def score(x: Tensor) -> Tensor:
            other = self.network(model.generate(256, Noise(0, x.device)))
            return self._potential(self.network(x), other)

        return TrainedCritic(score)
