"""The generator of the deep convolutional GAN (Radford et al., 2016, arXiv:1511.06434).

    x = tanh(deconv(… ReLU(BN(deconv(ReLU(BN(W z)))))))

Latents are Gaussian (the paper: uniform), kernels 4×4 (the paper: 5×5). In evaluation, batch norm
uses its running statistics, so that samples are independent of their batch.
"""

import torch
from torch import Tensor, nn

from genbench.fields import Count, Literal
from genbench.models._implicit import output_activation, sample_latent
from genbench.models.base import Model, Noise, Space
from genbench.nets.dcgan import Upsampler
from genbench.nets.virtual_norm import WithReference


class DCGAN(Model):
    """Convolutional implicit generator, for images of at least 8×8."""

    accepts = ("images",)
    cite = "radford2016unsupervised"

    latent: Count = 100
    """Dimensions of the Gaussian latent."""
    channels: Count = 64
    """Feature maps of the last hidden layer; each earlier layer has twice as many."""
    norm: Literal["batch", "virtual"] = "batch"
    """Batch norm, or virtual batch norm with a fixed reference batch of latents."""
    reference: Count = 64
    """Size of the reference batch of virtual batch norm."""

    def build(self, space: Space) -> None:
        if self.norm == "virtual":
            network = Upsampler(self.latent, space.shape, self.channels, self.reference)
            self.network: nn.Module = WithReference(network, (self.latent,), self.reference)
            self.network.fill(torch.randn(self.reference, self.latent))
        else:
            self.network = Upsampler(self.latent, space.shape, self.channels)
        self.output_activation = output_activation(space)

    def generate(self, n: int, noise: Noise, context: Tensor | None = None) -> Tensor:
        return self.decode(sample_latent(self, n, self.latent, noise))

    def decode(self, z: Tensor, context: Tensor | None = None) -> Tensor:
        return self.output_activation(self.network(z))
