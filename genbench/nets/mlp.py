"""A fully connected network, the building block of flows, critics, encoders and decoders."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from genbench.errors import GenbenchError

__all__ = ["ACTIVATIONS", "MLP"]

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "leaky_relu": nn.LeakyReLU,
    "relu": nn.ReLU,
    "silu": nn.SiLU,
    "softplus": nn.Softplus,
    "tanh": nn.Tanh,
}
"""The activations that a network may be given by name."""


class MLP(nn.Module):
    """Linear layers of the given hidden widths with an activation between them.

    The last layer is linear. Layers start as torch starts them (uniform, scaled by fan-in).
    """

    def __init__(
        self, inputs: int, outputs: int, widths: Sequence[int], activation: str = "relu",
    ) -> None:
        super().__init__()
        if activation not in ACTIVATIONS:
            known = ", ".join(sorted(ACTIVATIONS))
            raise GenbenchError(f"no activation '{activation}'; there is {known}")
        layers: list[nn.Module] = []
        for width in widths:
            layers += [nn.Linear(inputs, width), ACTIVATIONS[activation]()]
            inputs = width
        self.layers = nn.Sequential(*layers, nn.Linear(inputs, outputs))

    def forward(self, x: Tensor) -> Tensor:
        """Features (B, inputs) to outputs (B, outputs)."""
        return self.layers(x)

    def zero_last(self) -> MLP:
        """Start with the output zero for every input; returns the network itself."""
        for parameter in self.layers[-1].parameters():
            nn.init.zeros_(parameter)
        return self
