"""Many narrow modes, most of which a poor GAN drops (Srivastava et al., 2017, arXiv:1705.07761);
spacing and standard deviation are those of PacGAN (Lin et al., 2018, arXiv:1712.04086).
"""

import torch

from genbench.data._mixture import MixtureTruth
from genbench.data._toys import Toy
from genbench.fields import Count, Positive


class Grid(Toy):
    """Equal isotropic Gaussians on a square grid centred at the origin, 25 by default."""

    has_modes = True
    cite = "srivastava2017veegan"

    side: Count = 5
    """Gaussians along each side; there are side² of them."""
    spacing: Positive = 2.0
    """The distance between neighbouring centres."""
    std: Positive = 0.05
    """The standard deviation of each coordinate of each Gaussian."""

    def truth(self) -> MixtureTruth:
        axis = self.spacing * (torch.arange(self.side, dtype=torch.float64) - (self.side - 1) / 2)
        centres = torch.cartesian_prod(axis, axis)  # (side², 2)
        covariances = self.std**2 * torch.eye(2, dtype=torch.float64).repeat(len(centres), 1, 1)
        return MixtureTruth(centres, covariances, torch.ones(len(centres)))
