"""Bijections: invertible maps with a tractable Jacobian determinant, of which flows are made."""

from abc import ABC, abstractmethod

from torch import Tensor, nn


class Bijection(nn.Module, ABC):
    """z = f(x) with its log-determinant, and the inverse.

    One bijection takes x (B, D); a stack of T, evaluated together, takes x (T, B, D).
    """

    @abstractmethod
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """z (…, B, D) of x (…, B, D), and log|det ∂z/∂x| (…, B)."""

    @abstractmethod
    def inverse(self, z: Tensor) -> Tensor:
        """x (…, B, D) of z (…, B, D)."""

    def groups(self) -> dict[str, list[nn.Parameter]]:
        """Named groups of parameters, which may have their own learning rates; '' is the rest."""
        return {"": list(self.parameters())}
