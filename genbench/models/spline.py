"""The neural spline flow, of monotone rational-quadratic splines (Durkan et al., 2019,
arXiv:1906.04032).

    log p(x) = log p_base(f(x)) + Σ_l Σ (a_l + log q′_l)

with the splines q_l of the couplings and the log-scales a_l of the elementwise affine layers
before them.

Left out: convolutional couplings and the multi-scale architecture (images are flattened and split
into even and odd pixels); LU-factored linear layers, replaced by a learned elementwise scale
and shift.
"""

from functools import partial

from genbench.fields import Annotated, Count, Field, Literal, Positive, Widths
from genbench.models._flow import FlowModel
from genbench.models.base import Space
from genbench.nets.bijection import Bijection
from genbench.nets.coupling import Couplings, dense_network
from genbench.nets.splines import SplineCoupling


class Spline(FlowModel):
    """A flow of rational-quadratic spline couplings. Density: exact.

    The strongest single flow here on points: it separates modes between which affine couplings
    leave bridges. Outside [−bound, bound] a coupling is the identity.
    """

    cite = "durkan2019neural"

    couplings: Count = 6
    """Coupling layers."""
    widths: Widths = [64, 64]
    """Hidden widths of the network in each coupling, which outputs the splines' parameters."""
    activation: Literal["relu", "silu", "tanh"] = "relu"
    """Activation of these networks."""
    bins: Annotated[int, Field(ge=1, lt=1000)] = 16
    """Bins K of a spline; each has at least a thousandth of its width and height."""
    bound: Positive = 4.0
    """Tail bound B: a spline acts on [−B, B], in units of the scaled data."""

    def bijection(self, space: Space, stack: int = 0) -> Bijection:
        layer = partial(
            SplineCoupling, network=dense_network(self.widths, self.activation, stack),
            bins=self.bins, bound=self.bound,
        )
        return Couplings(
            space.dims, self.couplings, layer,
            interleave=space.kind == "images", rescale=True, stack=stack,
        )
