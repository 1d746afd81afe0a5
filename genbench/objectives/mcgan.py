"""McGAN: data and samples matched in the mean and covariance of learned features.

Youssef Mroueh, Tom Sercu, Vaibhava Goel: McGan: Mean and Covariance Feature Matching GAN, 2017,
https://arxiv.org/abs/1702.08398

    mean:        min_G max_Φ  ‖E Φ(x) − E Φ(G(z))‖₂
    covariance:  min_G max_Φ  Σ of the k largest singular values of Σ_Φ(x) − Σ_Φ(G(z))

The paper learns the v, U and V of these maxima by gradients; here they are exact in every batch.
Φ's weights are clipped.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from torch import Tensor

from genbench.fields import Count, Positive
from genbench.models._base import Model
from genbench.nets.critic import feature_network
from genbench.noise import Noise
from genbench.objectives._base import Batch, Terms, samples_like
from genbench.objectives._distances import covariance_distance, mean_distance
from genbench.objectives._game import Game

__all__ = ["McGAN"]


class McGAN(Game):
    """A critic of features whose mean and covariance differ most between data and samples."""

    cite: ClassVar[str] = """@inproceedings{mroueh2017mcgan,
  title = {{McGan}: Mean and Covariance Feature Matching {GAN}},
  author = {Mroueh, Youssef and Sercu, Tom and Goel, Vaibhava},
  booktitle = {International Conference on Machine Learning},
  year = {2017},
  url = {https://arxiv.org/abs/1702.08398},
}"""

    match: Literal["mean", "covariance", "both"] = "both"
    """What is matched; both: the sum of the two distances."""
    rank: Count = 8
    """k: singular values of the difference of the covariances."""
    features: Count = 32
    """Dimensions of the features."""
    clip: Positive = 0.02
    """Largest absolute weight of the critic."""

    def build(self, model: Model) -> None:
        """Make the critic.

        Raises:
            GenbenchError: a critic that is not for these data, or a model that learns nothing.
        """
        self.network = self.made_by(feature_network, model, self.features)

    @property
    def limit(self) -> float | None:
        """The bound that the critic's weights are clipped to."""
        return self.clip

    def loss(self, player: str, model: Model, batch: Batch, noise: Noise) -> Terms:
        """The distances, up for the critic and down for the model."""
        with torch.set_grad_enabled(player == "model" and torch.is_grad_enabled()):
            samples = samples_like(batch, model, noise)
        real, fake = self.network(torch.cat((batch.x, samples))).chunk(2)
        sign = 1 if player == "model" else -1
        terms: dict[str, Tensor] = {}
        if self.match != "covariance":
            terms["mean"] = sign * mean_distance(real, fake)
        if self.match != "mean":
            terms["covariance"] = sign * covariance_distance(real, fake, self.rank)
        return terms

    def score(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        """The first feature of x (B, *shape), (B,): there is no single potential."""
        return self.network(x)[:, 0]
