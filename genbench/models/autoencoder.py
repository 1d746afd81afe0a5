"""A generator with an encoder: codes from the prior to data, and data to codes.

    x = G(z),  z ~ N(0, I);   z = E(x), or z ~ N(μ(x), diag σ²(x))

Methods differ in how they train the pair: Tolstikhin et al., 2018, arXiv:1711.01558; Donahue et
al., 2017, arXiv:1605.09782.
"""

import torch
from torch import Tensor

from genbench.fields import Count, Literal
from genbench.models._implicit import EitherNetwork, latent
from genbench.models.base import Noise, Space


class Autoencoder(EitherNetwork):
    """A generator and an encoder, without a density."""

    cite = "tolstikhin2018wasserstein"

    latent: Count = 8
    """Dimensions of the Gaussian code."""
    encoder: Literal["deterministic", "gaussian"] = "deterministic"
    """Deterministic: one code for each x; gaussian: q(z ∣ x) with learned mean and variance."""

    def build(self, space: Space) -> None:
        outputs = 2 * self.latent if self.encoder == "gaussian" else self.latent
        self.down = self.encoder_to(outputs, space)
        self.up = self.decoder_of(self.latent, space)

    def generate(self, n: int, noise: Noise, context: Tensor | None = None) -> Tensor:
        return self.decode(latent(self, n, self.latent, noise))

    def decode(self, z: Tensor, context: Tensor | None = None) -> Tensor:
        return self.up(z)

    def encode(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        return self.down(x)[:, : self.latent]

    def encode_draw(self, x: Tensor, noise: Noise, context: Tensor | None = None) -> Tensor:
        """Drawn where the encoder is Gaussian."""
        codes = self.down(x)
        if self.encoder == "deterministic":
            return codes
        mean, raw = codes.chunk(2, dim=1)
        std = torch.exp(5 * torch.tanh(raw / 5))
        return mean + std * noise.normal("code", *mean.shape).to(x)
