"""The model of two parallel lines of Arjovsky et al., 2017, arXiv:1701.07875, example 1, which
has no density in the plane.

    x = (θ, u),  u ~ U[0, 1]
"""

import torch
from torch import Tensor, nn

from genbench.errors import GenbenchError
from genbench.models.base import Model, Noise, Space


class Segment(Model):
    """A vertical segment of length 1 at a learned offset θ."""

    accepts = ("points",)
    cite = "arjovsky2017wasserstein"

    offset: float = 0.0
    """Initial θ, on the scaled data."""

    def build(self, space: Space) -> None:
        """Refuses data of other than 2 dimensions."""
        if space.dims != 2:
            raise GenbenchError(f"segment: a plane has 2 dimensions, the data have {space.dims}")
        self.theta = nn.Parameter(torch.tensor(self.offset))

    def generate(self, n: int, noise: Noise, context: Tensor | None = None) -> Tensor:
        height = noise.uniform("u", n).to(self.theta)
        return torch.stack((self.theta.expand(n), height), 1)
