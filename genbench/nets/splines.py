"""Monotone rational-quadratic splines, and couplings made of them.

Durkan, Bekasov, Murray, Papamakarios, "Neural Spline Flows", 2019,
https://arxiv.org/abs/1906.04032. [−B, B] is mapped onto itself by K bins, in each of which the
spline is a ratio of two quadratics, given by the values and derivatives at the knots; outside, it
is the identity. s, δ and ξ are the paper's.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import pad, softmax, softplus

from genbench.nets.coupling import Network
from genbench.nets.mlp import MLP

MIN_BIN = 1e-3
"""Smallest width and height of a bin, as fractions of 2B."""
MIN_DERIVATIVE = 1e-3
"""Smallest derivative at a knot."""
_UNIT_DERIVATIVE = math.log(math.expm1(1 - MIN_DERIVATIVE))
"""softplus⁻¹(1 − MIN_DERIVATIVE), the raw value of derivative 1."""


def rational_quadratic(
    x: Tensor, raw: Tensor, bound: float, *, inverse: bool = False
) -> tuple[Tensor, Tensor]:
    """The spline (or its inverse) at x (…,), and the log of its derivative (…,).

    `raw` (…, 3K − 1) are logits of K widths, logits of K heights, and K − 1 raw derivatives at the
    inner knots; all zero is the identity. The log-derivative of the inverse is that of the
    inverse function.
    """
    bins = (raw.shape[-1] + 1) // 3
    assert bins * MIN_BIN < 1, "more bins than fit at their smallest width"
    widths, heights, inner = raw.split((bins, bins, bins - 1), dim=-1)
    knots_x, knots_y = _knots(widths, bound), _knots(heights, bound)
    derivatives = pad(MIN_DERIVATIVE + softplus(inner + _UNIT_DERIVATIVE), (1, 1), value=1.0)
    inside = (x > -bound) & (x < bound)
    inputs = torch.where(inside, x, torch.zeros_like(x)).unsqueeze(-1)
    edges = (knots_y if inverse else knots_x)[..., 1:-1]
    bin_ = (edges <= inputs).sum(-1, keepdim=True)
    x0, x1, y0, y1, d0, d1 = (
        values.expand(*bin_.shape[:-1], -1).gather(-1, bin_ + step)
        for values in (knots_x, knots_y, derivatives) for step in (0, 1)
    )
    width, height = x1 - x0, y1 - y0
    s = height / width
    delta_sum = d1 + d0 - 2 * s  # δ_{k+1} + δ_k − 2 s_k
    if inverse:  # the root of a ξ² + b ξ + c = 0 in [0, 1]
        y = inputs - y0
        a = height * (s - d0) + y * delta_sum
        b = height * d0 - y * delta_sum
        c = -s * y
        xi = 2 * c / (-b - (b.square() - 4 * a * c).clamp(min=0).sqrt())
        value = x0 + xi * width
    else:
        xi = (inputs - x0) / width
        numerator = height * (s * xi.square() + d0 * xi * (1 - xi))
        value = y0 + numerator / (s + delta_sum * xi * (1 - xi))
    product = xi * (1 - xi)
    numerator = d1 * xi.square() + 2 * s * product + d0 * (1 - xi).square()
    log_derivative = 2 * s.log() + numerator.log() - 2 * (s + delta_sum * product).log()
    log_derivative = (-log_derivative if inverse else log_derivative).squeeze(-1)
    return torch.where(inside, value.squeeze(-1), x), log_derivative * inside


def _knots(logits: Tensor, bound: float) -> Tensor:
    """Knots (…, K + 1) from −bound to bound."""
    bins = logits.shape[-1]
    sizes = MIN_BIN + (1 - MIN_BIN * bins) * softmax(logits, dim=-1)
    inner = sizes.cumsum(-1)[..., :-1]
    return bound * (2 * pad(pad(inner, (1, 0)), (0, 1), value=1.0) - 1)


class SplineCoupling(nn.Module):
    """A coupling that transforms x_b (…, b) by splines, parametrised by x_a (…, a).

    Initially the identity.
    """

    def __init__(
        self, dims_a: int, dims_b: int, network: Network, bins: int, bound: float
    ) -> None:
        super().__init__()
        net = network(dims_a, dims_b * (3 * bins - 1))
        assert isinstance(net, MLP)
        self.net = net.zero_last()
        self.bound, self.shape = bound, (dims_b, 3 * bins - 1)

    def _raw(self, x_a: Tensor) -> Tensor:
        return self.net(x_a).to(x_a.dtype).unflatten(-1, self.shape)

    def forward(self, x_a: Tensor, x_b: Tensor) -> tuple[Tensor, Tensor]:
        """y_b and the log-determinant (…,)."""
        y_b, log_derivative = rational_quadratic(x_b, self._raw(x_a), self.bound)
        return y_b, log_derivative.sum(-1)

    def inverse(self, x_a: Tensor, y_b: Tensor) -> Tensor:
        """x_b."""
        return rational_quadratic(y_b, self._raw(x_a), self.bound, inverse=True)[0]
