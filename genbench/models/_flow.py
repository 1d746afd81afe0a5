"""Shared by flows: density and samples from a bijection and a base distribution.

    log p(x) = log p_base(z) + log|det ∂z/∂x|,   z = f(x),   x = f⁻¹(z)
"""

from abc import abstractmethod

from torch import Tensor, nn

from genbench.fields import Literal
from genbench.models.base import Model, Noise, Space
from genbench.nets.bijection import Bijection
from genbench.nets.densities import base_log_prob, base_sample


class FlowModel(Model):
    """A normalising flow on flattened data, with an exact density.

    A concrete flow defines its bijection, or a stack of bijections, as which a mixture evaluates
    its components together.
    """

    base: Literal["gaussian", "logistic"] = "gaussian"
    """Base distribution."""

    def build(self, space: Space) -> None:
        self.flow = self.bijection(space)
        self.likelihood_reason = space.density_reason

    @classmethod
    def preferred_scaling(
        cls, kind: Literal["points", "images"], **options: object,
    ) -> tuple[str, bool]:
        """Images are dequantised and logit-transformed, as in the RealNVP paper."""
        return ("standard", False) if kind == "points" else ("logit", True)

    @abstractmethod
    def bijection(self, space: Space, stack: int = 0) -> Bijection:
        """The bijection from data (…, B, D) to base variables, or a stack of `stack` of them."""

    def groups(self) -> dict[str, list[nn.Parameter]]:
        return self.flow.groups()

    def to_base(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The base variables (B, D) of x (B, *shape) and log|det ∂z/∂x| (B,)."""
        return self.flow(x.flatten(1))

    def from_base(self, z: Tensor) -> Tensor:
        """The data (B, *shape) at base variables z (B, D)."""
        return self.flow.inverse(z).reshape(-1, *self.space.shape)

    def log_prob(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        z, log_det = self.to_base(x)
        return base_log_prob(self.base, z) + log_det

    def generate(self, n: int, noise: Noise, context: Tensor | None = None) -> Tensor:
        z = base_sample(self.base, n, self.space.dims, noise)
        return self.from_base(z.to(next(self.parameters())))
