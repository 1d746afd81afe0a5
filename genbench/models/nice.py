"""NICE: a volume-preserving flow and a diagonal scaling (Dinh et al., 2014, arXiv:1410.8516).

    log p(x) = Σ_d [ log p_base(z_d) + log S_d ],   z = S ⊙ f(x),   x = f⁻¹(z / S)

Left out: the whitening of colour images.
"""

import math
from functools import partial

from torch import Tensor, nn

from genbench.fields import Count, Literal, Natural, Widths
from genbench.models._flow import FlowModel
from genbench.models.base import Space
from genbench.nets.bijection import Bijection
from genbench.nets.conv_coupling import conv_network
from genbench.nets.coupling import AdditiveCoupling, Couplings, dense_network, per_dim


class NICE(FlowModel):
    """A flow of additive couplings with a learned scale for each coordinate.

    Density: exact. It keeps volumes up to one global scale, so a single flow draws bridges
    between separate modes. Images are flattened; the halves are then the even and odd pixels.
    """

    named_groups = ("scale",)
    cite = "dinh2014nice"
    refuses = (
        ({"network": "cnn", "data": "points"}, "network: cnn is for images; use mlp"),
    )

    couplings: Natural = 4
    """Coupling layers; three at least let every coordinate act on every other. With none, the
    flow is the scaling alone: a Gaussian (or logistic) of independent coordinates at 0."""
    widths: Widths = [64, 64, 64]
    """Hidden widths of the network in each coupling."""
    network: Literal["mlp", "cnn"] = "mlp"
    """The network in each coupling: fully connected, or (images) fully connected and then
    transposed convolutions onto the grid of the half that it moves."""
    channels: Count = 64
    """Feature maps of the convolutions."""
    activation: Literal["relu", "silu", "tanh"] = "relu"
    """Activation of these networks; the paper's are rectifiers."""
    base: Literal["gaussian", "logistic"] = "gaussian"
    """Distribution of the code; the paper prefers the logistic, whose tails are heavier."""
    log_scale: float | None = None
    """Initial log S. Null makes the code of typical data as wide as the base: 2.5 for a logistic
    base on images in [0, 1], where starting at 0 costs thousands of updates."""

    def bijection(self, space: Space, stack: int = 0) -> Bijection:
        """Refuses a network that is not for these data."""
        if self.network == "cnn":
            network = conv_network(space.shape, self.widths, self.channels, stack)
        else:
            network = dense_network(self.widths, self.activation, stack)
        couplings = Couplings(
            space.dims, self.couplings, partial(AdditiveCoupling, network=network),
            interleave=space.kind == "images", stack=stack,
        )
        start = self._start(space) if self.log_scale is None else self.log_scale
        return _Scaled(couplings, per_dim(space.dims, start, stack))

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
        """Of images, as in the paper."""
        return ("standard", False) if kind == "points" else ("unit", True)


class _Scaled(Bijection):
    """z = S ⊙ f(x), a learned scale for each coordinate of the couplings' output."""

    def __init__(self, couplings: Couplings, log_s: nn.Parameter) -> None:
        super().__init__()
        self.couplings, self.log_s = couplings, log_s

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        h, log_det = self.couplings(x)
        return h * self.log_s.exp(), log_det + self.log_s.sum(-1)

    def inverse(self, z: Tensor) -> Tensor:
        return self.couplings.inverse(z * (-self.log_s).exp())

    def groups(self) -> dict[str, list[nn.Parameter]]:
        """The log-scales, which may want a larger rate, are the group "scale"."""
        return {"": list(self.couplings.parameters()), "scale": [self.log_s]}
