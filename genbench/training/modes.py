"""Which parts of a model are in training mode: those that move."""

from __future__ import annotations

from collections.abc import Container

from torch import nn

__all__ = ["wake"]


def wake(model: nn.Module, moved: Container[int]) -> None:
    """Put in training mode all but what holds parameters of which none is among `moved` (ids).

    What stands still is as it will be evaluated: its batch norm uses and keeps the moments that it
    has, so that a critic learns to tell apart the samples that are measured.
    """
    model.train()
    for module in model.modules():
        own = list(module.parameters())
        if own and not any(id(parameter) in moved for parameter in own):
            module.eval()
