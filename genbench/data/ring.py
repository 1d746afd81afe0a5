"""The usual first test of mode coverage (Metz et al., 2017, arXiv:1611.02163, with eight modes).

The defaults here are the six of variance 0.1 at radius 5 of the mixture-of-flows literature; their
entropy is ln 6 + ln(2πe·0.1) = 2.32705 nats up to the overlap.
"""

import math

import torch

from genbench.data._mixture import MixtureTruth
from genbench.data._toys import Toy
from genbench.fields import Count, Positive


class Ring(Toy):
    """Equal isotropic Gaussians evenly spaced on a circle in the plane."""

    has_modes = True
    cite = "metz2017unrolled"

    modes: Count = 6
    """The number of Gaussians."""
    radius: Positive = 5.0
    """The radius of the circle that holds their centres."""
    variance: Positive = 0.1
    """The variance of each coordinate of each Gaussian (not its standard deviation)."""
    angle: float = 0.0
    """The angle of the first centre, in radians from the first axis."""

    def truth(self) -> MixtureTruth:
        turn = 2 * math.pi * torch.arange(self.modes, dtype=torch.float64) / self.modes
        turn = turn + self.angle
        centres = self.radius * torch.stack([turn.cos(), turn.sin()], 1)  # (M, 2)
        covariances = self.variance * torch.eye(2, dtype=torch.float64).repeat(self.modes, 1, 1)
        return MixtureTruth(centres, covariances, torch.ones(self.modes))
