"""A generator conditioned on the class label (Mirza, Osindero, 2014, arXiv:1411.1784).

    x = G(z, y),  z ~ N(0, I),  y one-hot

z and y are concatenated at the input; the paper maps each by a layer of its own first.
"""

from torch import Tensor

from genbench.fields import Count, Literal
from genbench.models._implicit import ImplicitModel, num_classes, sample_conditional_latent
from genbench.models.base import Noise, Space


class ConditionalGenerator(ImplicitModel):
    """Class-conditional generator, for labelled points and images."""

    conditional = True
    cite = "mirza2014conditional"

    latent: Count = 16
    """Dimensions of the Gaussian latent, without the label."""
    activation: Literal["elu", "gelu", "leaky_relu", "relu", "silu", "tanh"] = "relu"
    """Activation of a fully connected network."""

    def build(self, space: Space) -> None:
        self.classes = num_classes(space, "conditional_generator")
        self.net = self.make_decoder(self.latent + self.classes, space, self.activation)

    def generate(self, n: int, noise: Noise, context: Tensor | None = None) -> Tensor:
        z = sample_conditional_latent(self, n, self.latent, noise, context, self.classes)
        return self.net(z)
