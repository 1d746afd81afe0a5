"""Fully connected networks, of which flows, critics, encoders and decoders are made."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from genbench.errors import GenbenchError

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "leaky_relu": nn.LeakyReLU,
    "relu": nn.ReLU,
    "silu": nn.SiLU,
    "softplus": nn.Softplus,
    "tanh": nn.Tanh,
}
"""Activations by name."""


class StackedLinear(nn.Module):
    """`stack` linear layers, each with its own parameters, as one batched product.

    Initialised as torch's `Linear`: uniform on ±1/√inputs.
    """

    def __init__(self, inputs: int, outputs: int, stack: int) -> None:
        super().__init__()
        bound = 1 / math.sqrt(inputs)
        self.weight = nn.Parameter(torch.empty(stack, inputs, outputs).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(stack, 1, outputs).uniform_(-bound, bound))

    def forward(self, x: Tensor) -> Tensor:
        """x (stack, B, inputs) to (stack, B, outputs)."""
        return torch.baddbmm(self.bias, x, self.weight)


def linear(inputs: int, outputs: int, stack: int = 0) -> nn.Linear | StackedLinear:
    """A linear layer, or a stack of `stack` of them."""
    return StackedLinear(inputs, outputs, stack) if stack else nn.Linear(inputs, outputs)


class MLP(nn.Module):
    """A multilayer perceptron of the given hidden widths, with torch's initialisation.

    With `stack`, that many networks of one architecture, evaluated together: features
    (stack, B, inputs) to outputs (stack, B, outputs). With `norm`, batch norm before each
    activation.
    """

    def __init__(
        self, inputs: int, outputs: int, widths: Sequence[int], activation: str = "relu",
        stack: int = 0, norm: bool = False,
    ) -> None:
        super().__init__()
        if activation not in ACTIVATIONS:
            known = ", ".join(sorted(ACTIVATIONS))
            raise GenbenchError(f"no activation '{activation}'; there is {known}")
        layers: list[nn.Module] = []
        for width in widths:
            layers.append(linear(inputs, width, stack))
            layers += [nn.BatchNorm1d(width)] if norm else []
            layers.append(ACTIVATIONS[activation]())
            inputs = width
        self.layers = nn.Sequential(*layers, linear(inputs, outputs, stack))

    def forward(self, x: Tensor) -> Tensor:
        """Features (…, B, inputs) to outputs (…, B, outputs)."""
        return self.layers(x)

    def zero_last(self) -> MLP:
        """Initialise the last layer with zeros; returns the network itself."""
        for parameter in self.layers[-1].parameters():
            nn.init.zeros_(parameter)
        return self
