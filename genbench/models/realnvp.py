"""RealNVP: a flow of affine couplings (Dinh et al., 2017, arXiv:1605.08803).

    log p(x) = log p_base(f(x)) + Σ_l Σ (a_l + s_l)

with the log-scales s_l of the couplings and a_l of the elementwise affine layers before them.

Left out: convolutional couplings with checkerboard masks and the multi-scale architecture, for
which see Glow (here images are flattened and split into even and odd pixels); batch normalisation,
replaced by a learned elementwise affine layer, so that the density of an example never depends on
its batch.
"""

from functools import partial

from genbench.fields import Count, Literal, Positive, Widths
from genbench.models._flow import FlowModel
from genbench.models.base import Space
from genbench.nets.bijection import Bijection
from genbench.nets.coupling import AffineCoupling, Couplings, dense_network


class RealNVP(FlowModel):
    """A flow of affine couplings. Density: exact.

    Stronger than NICE on points; on images a baseline, without convolutions.
    """

    cite = "dinh2017density"
    version = 2
    changed = {2: {"scale_bound": {"but": 2.0}}}
    formerly = {"scale_bound": 2.0}

    couplings: Count = 8
    """Coupling layers."""
    widths: Widths = [64, 64]
    """Hidden widths of the network in each coupling, which outputs both scale and shift."""
    activation: Literal["relu", "silu", "tanh"] = "relu"
    """Activation of these networks."""
    rescale: bool = True
    """Whether a learned elementwise scale and shift precedes each coupling, initialised as the
    identity (actnorm without data-dependent initialisation)."""
    scale_bound: Positive = 0.5
    """Initial value of the learned bound of the log-scales. Training is faster from 0.5 on points,
    and from 2 on large images, many pixels of which are nearly constant."""

    def bijection(self, space: Space, stack: int = 0) -> Bijection:
        network = dense_network(self.widths, self.activation, stack)
        layer = partial(AffineCoupling, network=network, bound=self.scale_bound, stack=stack)
        return Couplings(
            space.dims, self.couplings, layer,
            interleave=space.kind == "images", rescale=self.rescale, stack=stack,
        )
