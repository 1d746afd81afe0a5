"""RealNVP: a flow of affine couplings.

Dinh, Sohl-Dickstein, Bengio, "Density estimation using Real NVP", 2017,
https://arxiv.org/abs/1605.08803.

    log p(x) = log p_base(f(x)) + Σ_l Σ s_l

Left out: convolutional couplings with checkerboard masks and the multi-scale architecture (images
are flattened, even and odd pixels alternate); batch normalisation, in whose place stands a learned
constant scale and shift, so that the density of a datum never depends on its batch.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from torch import Tensor

from genbench.data.space import Space
from genbench.fields import Count, Widths
from genbench.models._base import Model
from genbench.models._likelihood import density_reason
from genbench.nets.coupling import Couplings
from genbench.nets.densities import base_log_prob, base_sample
from genbench.noise import Noise

__all__ = ["RealNVP"]


class RealNVP(Model):
    """A flow whose couplings scale and shift. Density: exact.

    Stronger than NICE on points; on images it has no convolutions, and is a baseline.
    """

    cite: ClassVar[str] = """@inproceedings{dinh2017density,
  title={Density estimation using {Real NVP}},
  author={Dinh, Laurent and Sohl-Dickstein, Jascha and Bengio, Samy},
  booktitle={International Conference on Learning Representations},
  year={2017}
}"""

    couplings: Count = 8
    """Coupling layers."""
    widths: Widths = [64, 64]
    """Hidden widths of the network in each coupling, which gives both scale and shift."""
    activation: Literal["relu", "silu", "tanh"] = "relu"
    """Activation of these networks."""
    base: Literal["gaussian", "logistic"] = "gaussian"
    """Distribution of the code."""
    rescale: bool = True
    """Whether a learned constant scale and shift stands before each coupling; it starts at the
    identity and needs no data."""

    def build(self, space: Space) -> None:
        """Make the couplings."""
        self.flow = Couplings(
            space.dims, self.couplings, self.widths, self.activation,
            kind="affine", interleave=space.kind == "images", rescale=self.rescale,
        )
        self.likelihood_reason = density_reason(space)

    @classmethod
    def preferred_scaling(
        cls, kind: Literal["points", "images"], **options: object,
    ) -> tuple[str, bool]:
        """Points standardised; images dequantised and then their logit, as in the paper."""
        return ("standard", False) if kind == "points" else ("logit", True)

    def to_base(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The code (B, D) of x (B, *shape) and log|det ∂z/∂x| (B,)."""
        return self.flow(x.flatten(1))

    def from_base(self, z: Tensor) -> Tensor:
        """The datum (B, *shape) of a code z (B, D)."""
        return self.flow.inverse(z).reshape(-1, *self.space.shape)

    def log_prob(self, x: Tensor) -> Tensor:
        """Exact log density of x (B, *shape), nats, (B,)."""
        z, log_det = self.to_base(x)
        return base_log_prob(self.base, z) + log_det

    def generate(self, n: int, noise: Noise, labels: Tensor | None = None) -> Tensor:
        """n samples (n, *shape)."""
        z = base_sample(self.base, n, self.space.dims, noise)
        return self.from_base(z.to(next(self.parameters())))
