"""NICE: a volume-preserving flow of additive couplings, and a diagonal scaling.

Dinh, Krueger, Bengio, "NICE: Non-linear Independent Components Estimation", 2014,
https://arxiv.org/abs/1410.8516.

    log p(x) = Σ_d [ log p_base(z_d) + log S_d ],   z = S ⊙ f(x),   x = f⁻¹(z / S)

Left out: the whitening of colour images.
"""

from __future__ import annotations

import math
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from genbench.data.space import Space
from genbench.fields import Count, Widths
from genbench.models._base import Model
from genbench.models._likelihood import density_reason
from genbench.nets.coupling import Couplings
from genbench.nets.densities import base_log_prob, base_sample
from genbench.noise import Noise

__all__ = ["NICE"]


class NICE(Model):
    """A flow of additive couplings with a learned scale for each coordinate.

    Density: exact. It keeps volumes up to one global scale, so a single flow draws bridges
    between separate modes. Images are flattened; the halves are then the even and odd pixels.
    """

    cite: ClassVar[str] = """@article{dinh2014nice,
  title={{NICE}: Non-linear Independent Components Estimation},
  author={Dinh, Laurent and Krueger, David and Bengio, Yoshua},
  journal={arXiv preprint arXiv:1410.8516},
  year={2014}
}"""

    couplings: Count = 4
    """Coupling layers; three at least let every coordinate act on every other."""
    widths: Widths = [64, 64, 64]
    """Hidden widths of the network in each coupling."""
    activation: Literal["relu", "silu", "tanh"] = "relu"
    """Activation of these networks; the paper's are rectifiers."""
    base: Literal["gaussian", "logistic"] = "gaussian"
    """Distribution of the code; the paper prefers the logistic, whose tails are heavier."""
    log_scale: float | None = None
    """Initial log S. Null makes the code of typical data as wide as the base: 2.5 for a logistic
    base on images in [0, 1], where starting at 0 costs thousands of updates."""

    def build(self, space: Space) -> None:
        """Make the couplings and the scaling."""
        self.flow = Couplings(
            space.dims, self.couplings, self.widths, self.activation,
            kind="additive", interleave=space.kind == "images",
        )
        start = self._start(space) if self.log_scale is None else self.log_scale
        self.log_s = nn.Parameter(torch.full((space.dims,), start))
        self.likelihood_reason = density_reason(space)

    def _start(self, space: Space) -> float:
        width = 1.0 if self.base == "gaussian" else math.pi / math.sqrt(3)
        if space.kind == "points":
            return math.log(width)
        if space.low is None or space.high is None:
            return math.log(width / 1.5)  # logits of images are about this wide
        return math.log(width / (0.15 * (space.high - space.low)))

    @classmethod
    def preferred_scaling(
        cls, kind: Literal["points", "images"], **options: object,
    ) -> tuple[str, bool]:
        """Points standardised; images dequantised on [0, 1], as in the paper."""
        return ("standard", False) if kind == "points" else ("unit", True)

    def groups(self) -> dict[str, list[nn.Parameter]]:
        """The log-scales, which may want a larger rate, are the group "scale"."""
        return {"": list(self.flow.parameters()), "scale": [self.log_s]}

    def to_base(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The code (B, D) of x (B, *shape) and log|det ∂z/∂x| (B,)."""
        h, log_det = self.flow(x.flatten(1))
        return h * self.log_s.exp(), log_det + self.log_s.sum()

    def from_base(self, z: Tensor) -> Tensor:
        """The datum (B, *shape) of a code z (B, D)."""
        x = self.flow.inverse(z * torch.exp(-self.log_s))
        return x.reshape(-1, *self.space.shape)

    def log_prob(self, x: Tensor) -> Tensor:
        """Exact log density of x (B, *shape), nats, (B,)."""
        z, log_det = self.to_base(x)
        return base_log_prob(self.base, z) + log_det

    def generate(self, n: int, noise: Noise, labels: Tensor | None = None) -> Tensor:
        """n samples (n, *shape)."""
        return self.from_base(base_sample(self.base, n, self.space.dims, noise).to(self.log_s))
