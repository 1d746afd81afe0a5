"""A generator with an encoder.

    x = G(z),  z ~ N(0, I);   z = E(x), or z ~ N(μ(x), diag σ²(x))

Trained as a Wasserstein autoencoder (Tolstikhin et al., 2018, arXiv:1711.01558), a BiGAN (Donahue
et al., 2017, arXiv:1605.09782) or by other objectives.
"""

import torch
from torch import Tensor

from genbench.fields import Count, Literal
from genbench.models._implicit import ImplicitModel, sample_latent
from genbench.models.base import Noise, Space


class Autoencoder(ImplicitModel):
    """A generator and an encoder, without a density."""

    cite = "tolstikhin2018wasserstein"

    latent: Count = 8
    """Dimensions of the latent, whose prior is N(0, I)."""
    encoder: Literal["deterministic", "gaussian"] = "deterministic"
    """Deterministic: z = E(x); gaussian: q(z ∣ x) with learned mean and diagonal variance."""

    def build(self, space: Space) -> None:
        outputs = 2 * self.latent if self.encoder == "gaussian" else self.latent
        self.down = self.make_encoder(outputs, space)
        self.up = self.make_decoder(self.latent, space)

    def generate(self, n: int, noise: Noise, context: Tensor | None = None) -> Tensor:
        return self.decode(sample_latent(self, n, self.latent, noise))

    def decode(self, z: Tensor, context: Tensor | None = None) -> Tensor:
        return self.up(z)

    def encode(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        return self.down(x)[:, : self.latent]

    def encode_draw(self, x: Tensor, noise: Noise, context: Tensor | None = None) -> Tensor:
        """E(x) itself where the encoder is deterministic."""
        outputs = self.down(x)
        if self.encoder == "deterministic":
            return outputs
        mean, raw = outputs.chunk(2, dim=1)
        std = torch.exp(5 * torch.tanh(raw / 5))
        return mean + std * noise.normal("code", *mean.shape).to(x)
