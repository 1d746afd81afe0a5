"""A critic for each component of a mixture: separate networks, or heads on a shared trunk."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from genbench.nets.critic import (
    Backbone,
    dense_trunk,
    feature_trunk,
    is_piecewise_linear,
    trunk_vjp,
)
from genbench.nets.mlp import StackedLinear


class ComponentCritics(nn.Module, ABC):
    """T critics of the same data."""

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor:
        """The scores (B, T) of x (B, *shape) by all critics."""

    def input_gradient(self, x: Tensor, weights: Tensor) -> Tensor:
        """∇_x Σ_c w_c f_c(x), (B, *shape), for constant weights (B, T)."""
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            total = (weights * self(x)).sum()
            (gradient,) = torch.autograd.grad(total, x, create_graph=True)
        return gradient


class SeparateCritics(ComponentCritics):
    """T fully connected networks of one architecture, as batched matrix products."""

    def __init__(self, inputs: int, widths: Sequence[int], activation: str, count: int) -> None:
        super().__init__()
        self.trunk = dense_trunk(inputs, widths, "none", activation, stack=count)
        self.head = StackedLinear(widths[-1], 1, count)
        self.count = count

    def forward(self, x: Tensor) -> Tensor:
        """The scores (B, T) of x (B, *shape) by all critics."""
        rows = x.flatten(1).expand(self.count, -1, -1)
        return self.head(self.trunk(rows)).squeeze(2).t()

    def input_gradient(self, x: Tensor, weights: Tensor) -> Tensor:
        """∇_x Σ_c w_c f_c(x), (B, *shape), in closed form."""
        rows = x.flatten(1).expand(self.count, -1, -1)
        cotangent = weights.t()[:, :, None] * self.head.weight.transpose(1, 2)  # (T, B, F)
        return trunk_vjp(self.trunk, rows, cotangent).sum(0).reshape(x.shape)


class SharedCritics(ComponentCritics):
    """T linear heads on one trunk."""

    def __init__(self, trunk: nn.Module, features: int, count: int) -> None:
        super().__init__()
        self.trunk = trunk
        self.head = nn.Linear(features, count)

    def forward(self, x: Tensor) -> Tensor:
        """The scores (B, T) of x (B, *shape) by all critics."""
        return self.head(self.trunk(x))

    def input_gradient(self, x: Tensor, weights: Tensor) -> Tensor:
        """∇_x Σ_c w_c f_c(x), (B, *shape), in closed form where the trunk has one."""
        if is_piecewise_linear(self.trunk):
            return trunk_vjp(self.trunk, x, weights @ self.head.weight)
        return super().input_gradient(x, weights)


def component_critics(backbone: Backbone, count: int, *, shared: bool) -> ComponentCritics:
    """`count` critics; a convolutional backbone is always shared.

    Raises:
        GenbenchError: a convolutional trunk for anything but images of at least 8×8.
    """
    if shared:
        return SharedCritics(*feature_trunk(backbone), count)
    return SeparateCritics(backbone.dims, backbone.widths, backbone.activation, count)
