"""Relaxed Wasserstein GAN: the ground cost is a Bregman divergence (Guo et al., 2017,
arXiv:1705.07164).

    W_φ(p, q) = inf_γ E_γ D_φ(x, y),   D_φ(x, y) = φ(x) − φ(y) − ⟨∇φ(y), x − y⟩

The paper bounds one critic's weights. Here two potentials solve the dual of this very cost, in the
relaxed form of Seguy et al., 2018, arXiv:1711.02283:

    max_{f,g}  E f(x) + E g(G(z)) − (1/4ε) E (f(x) + g(G(z)) − D_φ(x, G(z)))₊²

over all pairs of a batch, which tends to W_φ as ε → 0; the model minimises it.
"""

import torch
from torch import Tensor
from torch.nn.functional import relu

from genbench.fields import Literal, Positive
from genbench.nets.critic import critic_network
from genbench.nets.precision import full_precision, to_float32
from genbench.objectives._distances import squared_distances
from genbench.objectives.base import Batch, Model, Noise, Terms, TrainedCritic, samples_like
from genbench.objectives.gan.game import Game, critic_backbone

_HIGHEST = 20.0
"""Where the exponent of the exponential divergence is clamped, against overflow."""


def bregman(kind: str, x: Tensor, y: Tensor) -> Tensor:
    """D_φ(x_i, y_j) (N, M) of rows x (N, d) and y (M, d), a mean over dimensions.

    - squared_euclidean: φ = ½ Σ x², D = ½ Σ (x − y)²
    - exponential: φ = Σ eˣ, D = Σ eˣ − e^y − e^y (x − y): the generalised Kullback–Leibler
      divergence of e^y from eˣ, for data of any sign
    """
    if kind == "squared_euclidean":
        return squared_distances(x, y) / (2 * x.shape[1])
    x, y = to_float32(x).clamp(max=_HIGHEST), to_float32(y).clamp(max=_HIGHEST)
    gradient = y.exp()
    own = (gradient - gradient * y).sum(1)  # φ(y) − ⟨∇φ(y), y⟩
    with full_precision(x):
        value = x.exp().sum(1)[:, None] - own - x @ gradient.t()
    return value.clamp(min=0) / x.shape[1]


class RelaxedWasserstein(Game):
    """Two dual potentials of a relaxed transport cost, against the model."""

    ignores_labels = True
    cite = "guo2017relaxed"

    divergence: Literal["squared_euclidean", "exponential"] = "exponential"
    """The Bregman divergence, on the scaled data."""
    epsilon: Positive = 0.0005
    """ε of the relaxation, in units of the cost. It penalises a plan by ε times its squared
    density, ε N for a one-to-one matching of N points: keep ε N below the differences of cost that
    matter, or the optimal samples collapse."""

    def build(self, model: Model) -> None:
        backbone = critic_backbone(self, model)
        self.of_data, self.of_samples = (critic_network(backbone) for _ in range(2))

    def loss(self, player: str, model: Model, batch: Batch, noise: Noise) -> Terms:
        with torch.set_grad_enabled(player == "model" and torch.is_grad_enabled()):
            samples = samples_like(batch, model, noise)
        f, g = self.of_data(batch.x), self.of_samples(samples)
        cost = bregman(self.divergence, batch.x.flatten(1), samples.flatten(1))
        excess = relu(f[:, None] + g - cost).square().mean() / (4 * self.epsilon)
        sign = 1 if player == "model" else -1
        return {"transport": sign * (f.mean() + g.mean()), "excess": -sign * excess}

    def score(self, x: Tensor) -> Tensor:
        """f (B,) at x (B, *shape)."""
        return self.of_data(x)

    def trained_critic(self, model: Model) -> TrainedCritic:
        return TrainedCritic(self.score)
