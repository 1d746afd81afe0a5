"""Two interleaving half circles, blurred: two bent modes with a gap between them.

The arcs are those of scikit-learn's `make_moons` (F. Pedregosa et al., "Scikit-learn: Machine
Learning in Python", 2011, https://jmlr.org/papers/v12/pedregosa11a.html): t ~ U[0, π], the upper
(cos t, sin t) and the lower (1 − cos t, ½ − sin t), equally likely.
"""

import math
from pathlib import Path

import torch
from torch import Tensor

from genbench.data._curve import BlurredCurves
from genbench.data._toys import points
from genbench.data.base import Data, Dataset
from genbench.fields import Count, Natural, Positive


class TwoMoons(Dataset):
    """Two interleaving half circles of radius 1, blurred."""

    kind = "points"
    cite = "pedregosa2011scikit"

    noise: Positive = 0.1
    """The standard deviation of the blur of each coordinate."""
    train_size: Natural = 0
    """The number of fixed training points; 0 draws fresh points for every batch."""
    test_size: Count = 20000
    """The number of fixed test points."""
    test_seed: Natural = 0
    """The seed of the test points, the same for every run."""

    def load(self, root: Path, *, offline: bool = False) -> Data:
        truth = BlurredCurves([_upper, _lower], 0.0, math.pi, 1.0, self.noise)
        return points(
            "two_moons", truth, train_size=self.train_size, test_size=self.test_size,
            test_seed=self.test_seed,
        )


def _upper(t: Tensor) -> Tensor:
    return torch.stack([t.cos(), t.sin()], 1)


def _lower(t: Tensor) -> Tensor:
    return torch.stack([1 - t.cos(), 0.5 - t.sin()], 1)
