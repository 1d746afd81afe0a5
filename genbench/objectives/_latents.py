"""Latents of data under a model with an encoder."""

from __future__ import annotations

from torch import Tensor

from genbench.errors import GenbenchError
from genbench.models.base import Encoder, Model
from genbench.noise import Noise

__all__ = ["encode", "latent_size"]


def latent_size(model: Model, objective: str) -> int:
    """The dimensions of a model's latent, whose prior is a standard Gaussian.

    Raises:
        GenbenchError: a model without one.
    """
    size = getattr(model, "latent", None)
    if not isinstance(size, int):
        raise GenbenchError(f"{objective}: {type(model).__name__} has no Gaussian latent")
    return size


def encode(model: Model, x: Tensor, noise: Noise) -> Tensor:
    """A latent of each x (B, *shape): drawn, where the model's encoder is random, (B, d)."""
    assert isinstance(model, Encoder)
    draw = getattr(model, "encode_draw", None)
    return model.encode(x) if draw is None else draw(x, noise.child("encoder"))
