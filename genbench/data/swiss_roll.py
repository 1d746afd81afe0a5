"""The swiss roll: points along a spiral, blurred; a curved manifold that a flow has to bend to.

The spiral is that of S. Marsland's toy ("Machine Learning: An Algorithmic Perspective", 2009), in
the plane: t ~ U[t₀, t₁], x = (t cos t, t sin t) + σ ε, not scaled and not centred. With the
defaults t = 1.5π(1 + 3u) and σ = 0.5, which have an entropy of 5.786 nats.
"""

import math
from pathlib import Path

import torch
from torch import Tensor

from genbench.data._curve import BlurredCurves
from genbench.data._toys import points
from genbench.data.base import Data, Dataset
from genbench.fields import Count, Natural, NonNegative, Positive


class SwissRoll(Dataset):
    """A blurred spiral in the plane."""

    kind = "points"
    cite = "marsland2009machine"

    start: NonNegative = 0.75
    """Where the spiral starts, in turns: t₀ = 2π·start, which is also its inner radius."""
    turns: Positive = 2.25
    """The length of the spiral in turns: t₁ = 2π(start + turns)."""
    noise: Positive = 0.5
    """The standard deviation of the blur of each coordinate."""
    train_size: Natural = 0
    """The number of fixed training points; 0 draws fresh points for every batch."""
    test_size: Count = 20000
    """The number of fixed test points."""
    test_seed: Natural = 0
    """The seed of the test points, the same for every run."""

    def load(self, root: Path, *, offline: bool = False) -> Data:
        low = 2 * math.pi * self.start
        high = 2 * math.pi * (self.start + self.turns)
        truth = BlurredCurves([_spiral], low, high, math.hypot(1, high), self.noise)
        return points(
            "swiss_roll", truth, train_size=self.train_size, test_size=self.test_size,
            test_seed=self.test_seed,
        )


def _spiral(t: Tensor) -> Tensor:
    """(t cos t, t sin t) of t (n,), (n, 2)."""
    return torch.stack([t * t.cos(), t * t.sin()], 1)
