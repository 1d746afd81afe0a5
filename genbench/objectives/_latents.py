"""Latents of data under a model with an encoder."""

from torch import Tensor

from genbench.errors import GenbenchError
from genbench.models.base import Encoder, Latent, Model, StochasticEncoder
from genbench.noise import Noise


def latent_size(model: Model, objective: str) -> int:
    """The dimensions of a model's latent, whose prior is a standard Gaussian.

    Raises:
        GenbenchError: a model without one.
    """
    if not isinstance(model, Latent):
        raise GenbenchError(f"{objective}: {type(model).__name__} has no Gaussian latent")
    return model.latent


def encode(model: Model, x: Tensor, noise: Noise) -> Tensor:
    """A latent of each x (B, *shape): drawn, where the model's encoder is random, (B, d)."""
    if isinstance(model, StochasticEncoder):
        return model.encode_draw(x, noise.child("encoder"))
    assert isinstance(model, Encoder)
    return model.encode(x)
