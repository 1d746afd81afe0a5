"""Instance noise: Gaussian noise on all that a critic sees, so that the two supports overlap.

Martin Arjovsky, Léon Bottou: Towards Principled Methods for Training Generative Adversarial
Networks, 2017, https://arxiv.org/abs/1701.04862. The name, and that it fades, are of Casper Kaae
Sønderby, Jose Caballero, Lucas Theis, Wenzhe Shi, Ferenc Huszár: Amortised MAP Inference for Image
Super-resolution, 2017, https://arxiv.org/abs/1610.04490.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from genbench.noise import Noise

__all__ = ["InstanceNoise"]


class InstanceNoise(nn.Module):
    """Adds N(0, σ²), with σ falling linearly to 0 over a share of the stage (0: it stays)."""

    def __init__(self, sigma: float, share: float) -> None:
        super().__init__()
        self.sigma, self.share, self.span = sigma, share, 0
        self.register_buffer("done", torch.zeros((), dtype=torch.int64))

    def forward(self, x: Tensor, noise: Noise) -> Tensor:
        """x (B, *shape) with noise, at the updates done so far."""
        if self.sigma == 0:
            return x
        left = x.new_ones(())
        if self.span:
            left = (1 - self.get_buffer("done").to(x) / self.span).clamp(min=0)
        return x + self.sigma * left * noise.normal("instance", *x.shape).to(x)

    def begin(self, updates: int) -> None:
        """Learn how many updates the stage has."""
        self.span = max(1, round(self.share * updates)) if self.share else 0

    def at(self, update: int) -> None:
        """Note how many updates are done."""
        if self.span:
            self.get_buffer("done").fill_(update)
