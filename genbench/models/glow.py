"""Glow: a flow of several scales, for images (Kingma, Dhariwal, 2018, arXiv:1807.03039).

    log p(x) = log p_base(f(x)) + Σ_l log|det ∂h_l/∂h_{l−1}|

Left out: the start of the scales from a first batch (here they start at the identity, so that no
density depends on a batch), and the additive couplings.
"""

from genbench.fields import Count
from genbench.models._flow import FlowModel
from genbench.models.base import Space
from genbench.nets.bijection import Bijection
from genbench.nets.multiscale import MultiScale


class Glow(FlowModel):
    """A flow of convolutional affine couplings and 1×1 convolutions. Density: exact.

    The strongest flow here on images. Their sides must be multiples of 2^levels.
    """

    accepts = ("images",)
    cite = "kingma2018glow"

    levels: Count = 2
    """Scales; each halves the sides."""
    steps: Count = 4
    """Steps of the flow at each scale."""
    channels: Count = 32
    """Feature maps of the network in each coupling."""

    def bijection(self, space: Space, stack: int = 0) -> Bijection:
        """Refuses images whose sides cannot be halved so often."""
        return MultiScale(space.shape, self.levels, self.steps, self.channels, stack)
