"""A curved manifold that a flow has to bend to: the spiral of Marsland's toy (2009), in the plane.

    t ~ U[t₀, t₁],  x = (t cos t, t sin t) + σ ε,  not scaled and not centred

With the defaults t = 1.5π(1 + 3u) and σ = 0.5, which have an entropy of 5.786 nats.
"""

import math

import torch
from torch import Tensor

from genbench.data._curve import BlurredCurves
from genbench.data._toys import Toy
from genbench.fields import NonNegative, Positive


class SwissRoll(Toy):
    """A blurred spiral in the plane."""

    cite = "marsland2009machine"

    start: NonNegative = 0.75
    """Where the spiral starts, in turns: t₀ = 2π·start, which is also its inner radius."""
    turns: Positive = 2.25
    """The length of the spiral in turns: t₁ = 2π(start + turns)."""
    noise: Positive = 0.5
    """The standard deviation of the blur of each coordinate."""

    def truth(self) -> BlurredCurves:
        low = 2 * math.pi * self.start
        high = 2 * math.pi * (self.start + self.turns)
        return BlurredCurves([_spiral], low, high, math.hypot(1, high), self.noise)


def _spiral(t: Tensor) -> Tensor:
    """(t cos t, t sin t) of t (n,), (n, 2)."""
    return torch.stack([t * t.cos(), t * t.sin()], 1)
