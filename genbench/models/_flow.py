"""What flows share: a bijection and a base distribution make a density and samples.

    log p(x) = log p_base(z) + log|det ∂z/∂x|,   z = f(x),   x = f⁻¹(z)
"""

from abc import abstractmethod

from torch import Tensor, nn

from genbench.fields import Literal
from genbench.models.base import Model, Noise, Space
from genbench.nets.bijection import Bijection
from genbench.nets.densities import base_log_prob, base_sample


class FlowModel(Model):
    """A flow: images are flattened, the density is exact.

    A concrete flow says which bijection it is; with `stack`, that many of them side by side, which
    is how a mixture computes its components at once.
    """

    base: Literal["gaussian", "logistic"] = "gaussian"
    """Distribution of the code."""

    def build(self, space: Space) -> None:
        self.flow = self.bijection(space)
        self.likelihood_reason = space.density_reason

    @classmethod
    def preferred_scaling(
        cls, kind: Literal["points", "images"], **options: object,
    ) -> tuple[str, bool]:
        """Images are dequantised, then taken to their logit, as in the paper of RealNVP."""
        return ("standard", False) if kind == "points" else ("logit", True)

    @abstractmethod
    def bijection(self, space: Space, stack: int = 0) -> Bijection:
        """The map from data (…, B, D) to codes, or `stack` of them."""

    def groups(self) -> dict[str, list[nn.Parameter]]:
        return self.flow.groups()

    def to_base(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The code (B, D) of x (B, *shape) and log|det ∂z/∂x| (B,)."""
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
