"""What keeps the Gaussians of a learned latent mixture from shrinking to points.

Swaminathan Gurumurthy, Ravi Kiran Sarvadevabhatla, R. Venkatesh Babu: DeLiGAN, 2017,
https://arxiv.org/abs/1706.02071

    mean over components and dimensions of (1 − σ)²
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from genbench.models.base import Model, Spread
from genbench.noise import Noise
from genbench.objectives.base import Batch, Objective, Player, Terms

__all__ = ["LatentSpread"]


class LatentSpread(Objective):
    """Pulls the widths of a latent mixture towards 1; add it to an adversarial loss."""

    requires: ClassVar[tuple[str, ...]] = ("spread",)
    cite: ClassVar[str] = """@inproceedings{gurumurthy2017deligan,
  title = {{DeLiGAN}: Generative Adversarial Networks for Diverse and Limited Data},
  author = {Gurumurthy, Swaminathan and Sarvadevabhatla, Ravi Kiran and Babu, R. Venkatesh},
  booktitle = {IEEE Conference on Computer Vision and Pattern Recognition},
  year = {2017},
  url = {https://arxiv.org/abs/1706.02071},
}"""

    def players(self, model: Model) -> Sequence[Player]:
        """The model alone."""
        return [Player("model", model.groups())]

    def loss(self, player: str, model: Model, batch: Batch, noise: Noise) -> Terms:
        """The mean of (1 − σ)²."""
        assert isinstance(model, Spread)
        return {"spread": (1 - model.latent_scales()).square().mean()}
