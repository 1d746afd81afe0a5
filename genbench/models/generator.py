"""The generator of a GAN (Goodfellow et al., 2014, arXiv:1406.2661).

    x = G(z),  z ~ N(0, I)
"""

from torch import Tensor

from genbench.fields import Count, Literal
from genbench.models._implicit import ImplicitModel, sample_latent
from genbench.models.base import Noise, Space


class Generator(ImplicitModel):
    """Implicit generator, for points and images."""

    cite = "goodfellow2014generative"

    latent: Count = 16
    """Dimensions of the Gaussian latent."""
    activation: Literal["elu", "gelu", "leaky_relu", "relu", "silu", "tanh"] = "relu"
    """Activation of a fully connected network."""

    def build(self, space: Space) -> None:
        self.net = self.make_decoder(self.latent, space, self.activation)

    def generate(self, n: int, noise: Noise, context: Tensor | None = None) -> Tensor:
        return self.decode(sample_latent(self, n, self.latent, noise))

    def decode(self, z: Tensor, context: Tensor | None = None) -> Tensor:
        return self.net(z)
