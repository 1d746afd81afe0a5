"""What every flow is made of: an invertible map with a tractable Jacobian determinant."""

from abc import ABC, abstractmethod

from torch import Tensor, nn


class Bijection(nn.Module, ABC):
    """A map from data to codes and back, with its log-determinant.

    One map takes x (B, D); a stack of T maps, computed at once, takes x (T, B, D).
    """

    @abstractmethod
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The codes of x (…, B, D) and log|det ∂z/∂x| (…, B)."""

    @abstractmethod
    def inverse(self, z: Tensor) -> Tensor:
        """The data (…, B, D) of codes z (…, B, D)."""

    def groups(self) -> dict[str, list[nn.Parameter]]:
        """Named groups of parameters that may learn at rates of their own; '' is the rest."""
        return {"": list(self.parameters())}
