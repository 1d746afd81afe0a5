"""The exponential moving average of a model (Polyak and Juditsky, 1992)."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

__all__ = ["Average"]


class Average:
    """A copy of a model whose parameters follow it slowly.

    The decay rises as (1 + t)/(10 + t) up to its final value, so that the start is forgotten.
    Buffers (batch statistics) are the model's own, copied when the average is read.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.source = model
        self.model = copy.deepcopy(model).requires_grad_(False)
        self._mine: list[Tensor] = list(self.model.parameters())
        self._theirs: list[Tensor] = list(model.parameters())

    @torch.no_grad()
    def follow(self, update: int) -> None:
        """Move towards the model after update number `update` (from 0)."""
        decay = min(self.decay, (1 + update) / (10 + update))
        torch._foreach_lerp_(self._mine, self._theirs, 1 - decay)

    @torch.no_grad()
    def read(self) -> nn.Module:
        """The averaged model, with the current buffers."""
        for mine, theirs in zip(self.model.buffers(), self.source.buffers(), strict=True):
            mine.copy_(theirs)
        return self.model
