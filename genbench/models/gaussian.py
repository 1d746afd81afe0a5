"""A diagonal Gaussian: the simplest model with a density and reparametrised samples, after the
figures of Goodfellow et al., 2014, arXiv:1406.2661.

    x = μ + σ z,  z ~ N(0, I)
"""

import torch
from torch import Tensor, nn

from genbench.errors import GenbenchError
from genbench.fields import Positive
from genbench.models.base import Model, Noise, Space
from genbench.nets.densities import log_normal


class Gaussian(Model):
    """A diagonal Gaussian with learned mean and standard deviations. Density: exact."""

    cite = "goodfellow2014generative"

    mean: list[float] = []
    """Initial mean, one number for each coordinate of the scaled data; none is 0."""
    std: Positive = 1.0
    """Initial standard deviation of every coordinate."""

    def build(self, space: Space) -> None:
        """Refuses a mean of another dimension than the data's."""
        if len(self.mean) not in (0, space.dims):
            raise GenbenchError(
                f"gaussian: mean has {len(self.mean)} numbers, the data have {space.dims}"
            )
        self.centre = nn.Parameter(torch.tensor(self.mean or [0.0] * space.dims))
        self.log_std = nn.Parameter(torch.full((space.dims,), self.std).log())

    def generate(self, n: int, noise: Noise, context: Tensor | None = None) -> Tensor:
        z = noise.normal("z", n, self.space.dims).to(self.centre)
        return (self.centre + self.log_std.exp() * z).unflatten(1, self.space.shape)

    def log_prob(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        return log_normal(x.flatten(1), self.centre, self.log_std.exp()).sum(1)
