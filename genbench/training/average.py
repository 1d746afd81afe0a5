"""The exponential moving average of a model (Polyak and Juditsky, 1992)."""

import copy
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


class Average:
    """A copy of a model whose parameters, and moments of batch norm, follow it slowly.

    The decay rises as (1 + t)/(10 + t) up to its final value, so that the start is forgotten. The
    running moments that weights of now have brought about do not fit weights of then; averaged as
    the weights are, they nearly do. Other buffers are the model's own, copied when the average is
    read.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.source = model
        self.model = copy.deepcopy(model).requires_grad_(False)
        self._mine = [*self.model.parameters(), *_moments(self.model)]
        self._theirs = [*model.parameters(), *_moments(model)]

    @torch.no_grad()
    def follow(self, update: int) -> None:
        """Update the moving average after update number `update` (from 0)."""
        decay = min(self.decay, (1 + update) / (10 + update))
        torch._foreach_lerp_(self._mine, self._theirs, 1 - decay)

    @torch.no_grad()
    def read(self) -> nn.Module:
        """The averaged model, with the buffers of now that are not averaged."""
        averaged = {id(tensor) for tensor in self._mine}
        for mine, theirs in zip(self.model.buffers(), self.source.buffers(), strict=True):
            if id(mine) not in averaged:
                mine.copy_(theirs)
        return self.model


def _moments(model: nn.Module) -> Iterator[Tensor]:
    for module in model.modules():
        if isinstance(module, _BatchNorm) and module.running_mean is not None:
            yield from (module.get_buffer("running_mean"), module.get_buffer("running_var"))
