"""Two bent modes with a gap between them: scikit-learn's `make_moons` (Pedregosa et al., 2011,
jmlr.org/papers/v12/pedregosa11a.html).

t ~ U[0, π]: the upper (cos t, sin t) and the lower (1 − cos t, ½ − sin t), equally likely.
"""

import math

import torch
from torch import Tensor

from genbench.data._curve import BlurredCurves
from genbench.data._toys import Toy
from genbench.fields import Positive


class TwoMoons(Toy):
    """Two interleaving half circles of radius 1, blurred."""

    cite = "pedregosa2011scikit"

    noise: Positive = 0.1
    """The standard deviation of the blur of each coordinate."""

    def truth(self) -> BlurredCurves:
        return BlurredCurves([_upper, _lower], 0.0, math.pi, 1.0, self.noise)


def _upper(t: Tensor) -> Tensor:
    return torch.stack([t.cos(), t.sin()], 1)


def _lower(t: Tensor) -> Tensor:
    return torch.stack([1 - t.cos(), 0.5 - t.sin()], 1)
