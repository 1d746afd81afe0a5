"""A Gaussian with an encoder of its latent: the smallest model that a BiGAN (Donahue et al., 2017,
arXiv:1605.09782) can train to the optimum, where the encoder is the inverse of the generator.

    x = μ + σ ⊙ z,  z ~ N(0, I);   z = (x − m) / s
"""

import torch
from torch import Tensor, nn

from genbench.errors import GenbenchError
from genbench.fields import Positive
from genbench.models.base import Model, Noise, Space
from genbench.nets.densities import log_normal


class GaussianAutoencoder(Model):
    """A diagonal Gaussian as a generator, and an affine encoder. Density: exact."""

    accepts = ("points",)
    cite = "donahue2017adversarial"

    mean: list[float] = []
    """Initial μ, one number for each coordinate of the scaled data; none is 0."""
    std: Positive = 1.0
    """Initial σ of every coordinate."""
    code_mean: list[float] = []
    """Initial m of the encoder; none is 0."""
    code_std: Positive = 1.0
    """Initial s of every coordinate."""

    def build(self, space: Space) -> None:
        """Refuses means of another dimension than the data's."""
        self.latent = space.dims
        for name, given in (("mean", self.mean), ("code_mean", self.code_mean)):
            if len(given) not in (0, space.dims):
                raise GenbenchError(
                    f"gaussian_autoencoder: {name} has {len(given)} numbers, the data have "
                    f"{space.dims}"
                )
        zeros = [0.0] * space.dims
        self.centre = nn.Parameter(torch.tensor(self.mean or zeros))
        self.log_std = nn.Parameter(torch.full((space.dims,), self.std).log())
        self.code_centre = nn.Parameter(torch.tensor(self.code_mean or zeros))
        self.code_log_std = nn.Parameter(torch.full((space.dims,), self.code_std).log())

    def generate(self, n: int, noise: Noise, context: Tensor | None = None) -> Tensor:
        return self.decode(noise.normal("z", n, self.latent).to(self.centre))

    def decode(self, z: Tensor, context: Tensor | None = None) -> Tensor:
        return self.centre + self.log_std.exp() * z

    def encode(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        return (x - self.code_centre) / self.code_log_std.exp()

    def log_prob(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        return log_normal(x, self.centre, self.log_std.exp()).sum(1)
