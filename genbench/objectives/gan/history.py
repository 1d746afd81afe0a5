"""Historical averaging: a cost on the distance of parameters from their own mean so far.

Tim Salimans, Ian Goodfellow, Wojciech Zaremba, Vicki Cheung, Alec Radford, Xi Chen: Improved
Techniques for Training GANs, 2016, https://arxiv.org/abs/1606.03498
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

__all__ = ["History"]


class History(nn.Module):
    """The mean (1/t) Σ θ[i] of one player's parameters over its moves."""

    def __init__(self, parameters: Iterable[Tensor]) -> None:
        super().__init__()
        total = sum(parameter.numel() for parameter in parameters)
        self.register_buffer("mean", torch.zeros(total))
        self.register_buffer("moves", torch.zeros((), dtype=torch.int64))

    def distance(self, parameters: Iterable[Tensor]) -> Tensor:
        """‖θ − mean‖², a scalar; 0 before the first move."""
        flat = torch.cat([parameter.flatten() for parameter in parameters])
        begun = (self.get_buffer("moves") > 0).to(flat)
        return begun * (flat - self.get_buffer("mean").to(flat)).square().sum()

    @torch.no_grad()
    def follow(self, parameters: Iterable[Tensor]) -> None:
        """Take the parameters after a move into the mean."""
        flat = torch.cat([parameter.flatten() for parameter in parameters])
        moves = self.get_buffer("moves").add_(1)
        self.get_buffer("mean").lerp_(flat.to(self.get_buffer("mean")), 1.0 / moves)
