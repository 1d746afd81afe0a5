"""The start from data that several objectives give a model."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from torch import Tensor

from genbench.models.base import Model
from genbench.noise import Noise
from genbench.objectives.base import Draw

__all__ = ["START_POINTS", "start_from_data"]

START_POINTS = 2000
"""Training data shown to a model that starts from the data (the k-means of a mixture)."""


@runtime_checkable
class _StartsFromData(Protocol):
    def initialise(self, x: Tensor, noise: Noise) -> None: ...


def start_from_data(model: Model, draw: Draw, noise: Noise, points: int = START_POINTS) -> None:
    """Let a model that has `initialise` place itself on the data; it does so once."""
    if isinstance(model, _StartsFromData):
        model.initialise(draw(points, noise.child("data")).x, noise)
