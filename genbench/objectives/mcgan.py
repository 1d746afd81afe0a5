"""McGAN: data and samples matched in the mean and covariance of learned features (Mroueh et al.,
2017, arXiv:1702.08398).

    mean:        min_G max_{Φ, v}     ⟨v, E Φ(x) − E Φ(G(z))⟩,               ‖v‖₂ ≤ 1
    covariance:  min_G max_{Φ, U, V}  Tr[Uᵀ(Cov Φ(x) − Cov Φ(G(z)))V],     orthonormal columns

v, U and V are parameters of the critic: after each of its updates v is projected onto the unit
ball, the columns of U and V are orthonormalised by QR, and Φ's weights are clipped. The optimal v,
U and V of a batch have a closed form, but overfit it: between two batches of one distribution the
distance is above zero, and the critic would be trained to increase that.
"""

import torch
from torch import Tensor, nn

from genbench.fields import Count, Literal, Positive
from genbench.nets.critic import feature_network
from genbench.objectives._distances import covariance_gap, mean_gap
from genbench.objectives.base import Batch, Model, Noise, Terms, TrainedCritic, samples_like
from genbench.objectives.gan.game import Game, critic_backbone
from genbench.objectives.gan.penalties import clip_weights


class McGAN(Game):
    """A critic of features that maximises the difference of their mean and covariance."""

    ignores_labels = True
    refuses = (
        ({"rank": "> features"}, "there are fewer features than the rank; lower rank or raise "
                                 "features"),
    )
    cite = "mroueh2017mcgan"

    match: Literal["mean", "covariance", "both"] = "both"
    """What is matched; both: the sum of the two distances."""
    rank: Count = 8
    """k: singular values of the difference of the covariances."""
    features: Count = 32
    """Dimensions of the features."""
    clip: Positive = 0.02
    """Largest absolute weight of the critic."""

    def build(self, model: Model) -> None:
        self.network = feature_network(critic_backbone(self, model), self.features)
        self.direction = nn.Parameter(torch.randn(self.features))
        self.left, self.right = (
            nn.Parameter(torch.randn(self.features, self.rank)) for _ in range(2)
        )
        self.retract()

    def loss(self, player: str, model: Model, batch: Batch, noise: Noise) -> Terms:
        with torch.set_grad_enabled(player == "model" and torch.is_grad_enabled()):
            samples = samples_like(batch, model, noise)
        real, fake = self.network(torch.cat((batch.x, samples))).chunk(2)
        sign = 1 if player == "model" else -1
        terms: dict[str, Tensor] = {}
        if self.match != "covariance":
            terms["mean"] = sign * mean_gap(real, fake, self.direction)
        if self.match != "mean":
            terms["covariance"] = sign * covariance_gap(real, fake, self.left, self.right)
        return terms

    def after_update(self, player: str, model: Model, batch: Batch, step: int) -> None:
        """Project the critic back onto its constraints."""
        if player == "critic":
            clip_weights(self.network.parameters(), self.clip)
            self.retract()

    @torch.no_grad()
    def retract(self) -> None:
        """v into the unit ball, and the columns of U and V orthonormal."""
        self.direction.div_(self.direction.norm().clamp(min=1))
        for columns in (self.left, self.right):
            q, r = torch.linalg.qr(columns)
            columns.copy_(torch.where(r.diagonal() < 0, -q, q))  # each column keeps its side

    def score(self, x: Tensor) -> Tensor:
        """⟨v, Φ(x)⟩ of x (B, *shape), (B,): the potential of the means."""
        return self.network(x) @ self.direction

    def trained_critic(self, model: Model) -> TrainedCritic:
        return TrainedCritic(self.score)
