"""Glow: a multi-scale flow for images (Kingma, Dhariwal, 2018, arXiv:1807.03039).

    log p(x) = log p_base(f(x)) + Σ_l log|det ∂h_l/∂h_{l−1}|

Left out: the data-dependent initialisation of actnorm (here it starts as the identity, so that no
density depends on a batch), and additive couplings.
"""

from genbench.fields import Count
from genbench.models._flow import FlowModel
from genbench.models.base import Space
from genbench.nets.bijection import Bijection
from genbench.nets.multiscale import MultiScale


class Glow(FlowModel):
    """A flow of convolutional affine couplings and 1×1 convolutions. Density: exact.

    The strongest flow here on images, whose sides must be multiples of 2^levels.
    """

    accepts = ("images",)
    cite = "kingma2018glow"

    levels: Count = 2
    """Levels L of the multi-scale architecture; each halves the resolution."""
    steps: Count = 4
    """Steps of flow K at each level."""
    channels: Count = 32
    """Feature maps of the network in each coupling."""

    def bijection(self, space: Space, stack: int = 0) -> Bijection:
        """Refuses images whose sides are not multiples of 2^levels."""
        return MultiScale(space.shape, self.levels, self.steps, self.channels, stack)
