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

    Density: exact. The Jacobian determinant is constant, and a single flow leaves bridges of
    probability mass between separate modes. Images are flattened and split into even and odd
    pixels.
    """

    named_groups = ("scale",)
    cite = "dinh2014nice"
    refuses = (
        ({"network": "cnn", "data": "points"}, "network: cnn is for images; use mlp"),
    )

    couplings: Natural = 4
    """Coupling layers; with three or more, every coordinate can depend on every other. With none,
    the flow is the scaling alone: independent Gaussian (or logistic) coordinates of mean 0."""
    widths: Widths = [64, 64, 64]
    """Hidden widths of the network in each coupling."""
    network: Literal["mlp", "cnn"] = "mlp"
    """The network in each coupling: fully connected, or (images) fully connected and then
    transposed convolutions to the grid of the transformed half."""
    channels: Count = 64
    """Feature maps of the convolutions."""
    activation: Literal["relu", "silu", "tanh"] = "relu"
    """Activation of these networks; the paper's is ReLU."""
    base: Literal["gaussian", "logistic"] = "gaussian"
    """Base distribution; the paper prefers the logistic, whose tails are heavier."""
    log_scale: float | None = None
    """Initial log S. Null matches the standard deviation of z for typical data to that of the
    base: 2.5 for a logistic base on images in [0, 1], where 0 costs thousands of updates."""

    def bijection(self, space: Space, stack: int = 0) -> Bijection:
        """Refuses convolutions for data other than grey images."""
        if self.network == "cnn":
            network = conv_network(space.shape, self.widths, self.channels, stack)
        else:
            network = dense_network(self.widths, self.activation, stack)
        couplings = Couplings(
            space.dims, self.couplings, partial(AdditiveCoupling, network=network),
            interleave=space.kind == "images", stack=stack,
        )
        initial = self._initial_log_s(space) if self.log_scale is None else self.log_scale
        return _Scaled(couplings, per_dim(space.dims, initial, stack))

    def _initial_log_s(self, space: Space) -> float:
        """log of the ratio of standard deviations, of the base and of typical data."""
        std = 1.0 if self.base == "gaussian" else math.pi / math.sqrt(3)
        if space.kind == "points":
            return math.log(std)
        if space.low is None or space.high is None:
            return math.log(std / 1.5)  # 1.5: of logits of images
        return math.log(std / (0.15 * (space.high - space.low)))

    def log_scales(self) -> Tensor:
        """log S, (D,)."""
        assert isinstance(self.flow, _Scaled)
        return self.flow.log_s.detach().flatten()

    @classmethod
    def preferred_scaling(
        cls, kind: Literal["points", "images"], **options: object,
    ) -> tuple[str, bool]:
        """For images as in the paper."""
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
        """The log-scales, which may need a larger learning rate, are the group "scale"."""
        return {"": list(self.couplings.parameters()), "scale": [self.log_s]}
