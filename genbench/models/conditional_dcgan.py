"""The DCGAN generator (Radford et al., 2016, arXiv:1511.06434), conditioned on the class label as
in Mirza, Osindero, 2014, arXiv:1411.1784.

    x = G(z, y),  z ~ N(0, I),  y one-hot
"""

from torch import Tensor

from genbench.fields import Count
from genbench.models._implicit import num_classes, output_activation, sample_conditional_latent
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
    """Feature maps of the last hidden layer; each earlier layer has twice as many."""

    def build(self, space: Space) -> None:
        self.classes = num_classes(space, "conditional_dcgan")
        self.network = Upsampler(self.latent + self.classes, space.shape, self.channels)
        self.output_activation = output_activation(space)

    def generate(self, n: int, noise: Noise, context: Tensor | None = None) -> Tensor:
        z = sample_conditional_latent(self, n, self.latent, noise, context, self.classes)
        return self.output_activation(self.network(z))
