"""The network of Radford et al., 2016, arXiv:1511.06434; the label enters as in Mirza, Osindero,
2014, arXiv:1411.1784.

    x = G(z, y),  z ~ N(0, I),  y one-hot
"""

from torch import Tensor

from genbench.fields import Count
from genbench.models._implicit import classes_of, conditional_latent, output_activation
from genbench.models.base import Model, Noise, Space
from genbench.nets.dcgan import Upsampler


class ConditionalDCGAN(Model):
    """Convolutional class-conditional generator, for labelled images of at least 8×8."""

    accepts = ("images",)
    conditional = True
    cite = "radford2016unsupervised mirza2014conditional"

    latent: Count = 100
    """Dimensions of the Gaussian latent, without the label."""
    channels: Count = 64
    """Feature maps before the last layer; each earlier layer has twice as many."""

    def build(self, space: Space) -> None:
        self.classes = classes_of(space, "conditional_dcgan")
        self.network = Upsampler(self.latent + self.classes, space.shape, self.channels)
        self.output_activation = output_activation(space)

    def generate(self, n: int, noise: Noise, context: Tensor | None = None) -> Tensor:
        code = conditional_latent(self, n, self.latent, noise, context, self.classes)
        return self.output_activation(self.network(code))
