"""A generator whose latent is extended by the class label (Mirza, Osindero, 2014,
arXiv:1411.1784).

    x = G(z, y),  z ~ N(0, I),  y one-hot

Here both enter the first layer together; the paper gives each a layer of its own before that.
"""

from torch import Tensor

from genbench.fields import Count, Literal
from genbench.models._implicit import EitherNetwork, classes_of, conditional_latent
from genbench.models.base import Noise, Space


class ConditionalGenerator(EitherNetwork):
    """Class-conditional generator, for labelled points and images."""

    conditional = True
    cite = "mirza2014conditional"

    latent: Count = 16
    """Dimensions of the Gaussian latent, without the label."""
    activation: Literal["elu", "gelu", "leaky_relu", "relu", "silu", "tanh"] = "relu"
    """Between the layers of a fully connected network."""

    def build(self, space: Space) -> None:
        self.classes = classes_of(space, "conditional_generator")
        self.net = self.decoder_of(self.latent + self.classes, space, self.activation)

    def generate(self, n: int, noise: Noise, context: Tensor | None = None) -> Tensor:
        code = conditional_latent(self, n, self.latent, noise, context, self.classes)
        return self.net(code)
