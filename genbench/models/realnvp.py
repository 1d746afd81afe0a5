"""RealNVP: a flow of affine couplings (Dinh et al., 2017, arXiv:1605.08803).

    log p(x) = log p_base(f(x)) + Σ_l Σ (a_l + s_l)

with the log-scales s_l of the couplings and a_l of the constant scales before them.

Left out: convolutional couplings with checkerboard masks and the multi-scale architecture, which
Glow has (here images are flattened, even and odd pixels alternate); batch normalisation, in whose
place stands a learned constant scale and shift, so that the density of an example never depends on
its batch.
"""

from functools import partial

from genbench.fields import Count, Literal, Positive, Widths
from genbench.models._flow import FlowModel
from genbench.models.base import Space
from genbench.nets.bijection import Bijection
from genbench.nets.coupling import AffineCoupling, Couplings, dense_network


class RealNVP(FlowModel):
    """A flow whose couplings scale and shift. Density: exact.

    Stronger than NICE on points; on images it has no convolutions, and is a baseline.
    """

    cite = "dinh2017density"
    version = 2
    changed = {2: {"scale_bound": {"but": 2.0}}}
    formerly = {"scale_bound": 2.0}

    couplings: Count = 8
    """Coupling layers."""
    widths: Widths = [64, 64]
    """Hidden widths of the network in each coupling, which gives both scale and shift."""
    activation: Literal["relu", "silu", "tanh"] = "relu"
    """Activation of these networks."""
    rescale: bool = True
    """Whether a learned constant scale and shift stands before each coupling; it starts at the
    identity and needs no data."""
    scale_bound: Positive = 0.5
    """Where the learned bound of the log-scales starts. Points are learned faster from a half, and
    large images, whose pixels are nearly constant, from 2."""

    def bijection(self, space: Space, stack: int = 0) -> Bijection:
        network = dense_network(self.widths, self.activation, stack)
        layer = partial(AffineCoupling, network=network, bound=self.scale_bound, stack=stack)
        return Couplings(
            space.dims, self.couplings, layer,
            interleave=space.kind == "images", rescale=self.rescale, stack=stack,
        )
