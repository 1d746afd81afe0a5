"""Keeps the Gaussians of a learned latent mixture from shrinking to points (Gurumurthy et al.,
2017, arXiv:1706.02071).

    mean over components and dimensions of (1 − σ)²
"""

from genbench.models.base import LatentMixture
from genbench.objectives.base import Batch, Noise, Objective, Terms


class LatentSpread(Objective[LatentMixture]):
    """Pulls the widths of a latent mixture towards 1; add it to an adversarial loss."""

    cite = "gurumurthy2017deligan"

    def loss(self, player: str, model: LatentMixture, batch: Batch, noise: Noise) -> Terms:
        return {"spread": (1 - model.latent_scales()).square().mean()}
