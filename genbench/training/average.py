"""The exponential moving average of a model (Polyak and Juditsky, 1992)."""

import copy
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


class ExponentialMovingAverage:
    """A copy of a model whose parameters and batch-norm statistics are moving averages.

    The decay warms up as min(decay, (1 + t)/(10 + t)), so that the initialisation is forgotten.
    The current batch-norm statistics do not fit averaged weights; averaged like the weights they
    nearly do. Other buffers are copied from the model in `read`.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.source = model
        self.model = copy.deepcopy(model).requires_grad_(False)
        self._averaged = [*self.model.parameters(), *_moments(self.model)]
        self._current = [*model.parameters(), *_moments(model)]

    @torch.no_grad()
    def update(self, update: int) -> None:
        """Update the moving average after update number `update` (from 0)."""
        decay = min(self.decay, (1 + update) / (10 + update))
        torch._foreach_lerp_(self._averaged, self._current, 1 - decay)

    @torch.no_grad()
    def read(self) -> nn.Module:
        """The averaged model; buffers that are not averaged are the model's current ones."""
        averaged = {id(tensor) for tensor in self._averaged}
        for mine, theirs in zip(self.model.buffers(), self.source.buffers(), strict=True):
            if id(mine) not in averaged:
                mine.copy_(theirs)
        return self.model


def _moments(model: nn.Module) -> Iterator[Tensor]:
    for module in model.modules():
        if isinstance(module, _BatchNorm) and module.running_mean is not None:
            yield from (module.get_buffer("running_mean"), module.get_buffer("running_var"))
