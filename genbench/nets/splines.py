"""Monotone rational-quadratic splines, and couplings made of them.

Durkan, Bekasov, Murray, Papamakarios, "Neural Spline Flows", 2019,
https://arxiv.org/abs/1906.04032. A coordinate in [−B, B] is mapped onto [−B, B] by K pieces, each
a ratio of two quadratics given by the heights and slopes of its ends; outside the map is the
identity.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import pad, softmax, softplus

from genbench.nets.coupling import Network
from genbench.nets.mlp import MLP

__all__ = ["SplineCoupling", "rational_quadratic"]

LEAST = 1e-3
"""The smallest share of a bin's width or height, and the smallest slope at a knot."""
_UNIT_SLOPE = math.log(math.expm1(1 - LEAST))
"""What softplus makes a slope of 1 of."""


def rational_quadratic(
    x: Tensor, raw: Tensor, bound: float, *, inverse: bool = False
) -> tuple[Tensor, Tensor]:
    """The spline (or its inverse) at x (…,), and the log of its derivative (…,).

    `raw` (…, 3K − 1) are the logits of K widths, those of K heights, and K − 1 raw slopes at the
    inner knots; all zero is the identity. The log-derivative of the inverse is that of the
    inverse.
    """
    bins = (raw.shape[-1] + 1) // 3
    assert bins * LEAST < 1, "so many bins leave none of them room"
    across, up, inner = raw.split((bins, bins, bins - 1), dim=-1)
    knots_x, knots_y = _knots(across, bound), _knots(up, bound)
    slopes = pad(LEAST + softplus(inner + _UNIT_SLOPE), (1, 1), value=1.0)
    inside = (x > -bound) & (x < bound)
    at = torch.where(inside, x, torch.zeros_like(x)).unsqueeze(-1)
    edges = (knots_y if inverse else knots_x)[..., 1:-1]
    bin_ = (edges <= at).sum(-1, keepdim=True)
    x0, x1, y0, y1, d0, d1 = (
        values.expand(*bin_.shape[:-1], -1).gather(-1, bin_ + step)
        for values in (knots_x, knots_y, slopes) for step in (0, 1)
    )
    width, height = x1 - x0, y1 - y0
    steep = height / width
    bend = d1 + d0 - 2 * steep
    if inverse:
        rise = at - y0
        a = height * (steep - d0) + rise * bend
        b = height * d0 - rise * bend
        c = -steep * rise
        share = 2 * c / (-b - (b.square() - 4 * a * c).clamp(min=0).sqrt())
        moved = x0 + share * width
    else:
        share = (at - x0) / width
        top = height * (steep * share.square() + d0 * share * (1 - share))
        moved = y0 + top / (steep + bend * share * (1 - share))
    rest = share * (1 - share)
    slope = d1 * share.square() + 2 * steep * rest + d0 * (1 - share).square()
    log_slope = 2 * steep.log() + slope.log() - 2 * (steep + bend * rest).log()
    log_slope = (-log_slope if inverse else log_slope).squeeze(-1)
    return torch.where(inside, moved.squeeze(-1), x), log_slope * inside


def _knots(logits: Tensor, bound: float) -> Tensor:
    """Ends of the bins (…, K + 1) from −bound to bound."""
    bins = logits.shape[-1]
    shares = LEAST + (1 - LEAST * bins) * softmax(logits, dim=-1)
    inner = shares.cumsum(-1)[..., :-1]
    return bound * (2 * pad(pad(inner, (1, 0)), (0, 1), value=1.0) - 1)


class SplineCoupling(nn.Module):
    """Moves the other half (…, b) by splines whose shape is a function of the key (…, a).

    It starts as the identity.
    """

    def __init__(
        self, key: int, other: int, network: Network, bins: int, bound: float
    ) -> None:
        super().__init__()
        net = network(key, other * (3 * bins - 1))
        assert isinstance(net, MLP)
        self.net = net.zero_last()
        self.bound, self.shape = bound, (other, 3 * bins - 1)

    def _raw(self, key: Tensor) -> Tensor:
        return self.net(key).to(key.dtype).unflatten(-1, self.shape)

    def forward(self, key: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
        """The moved half and its log-determinant (…,)."""
        moved, log_slope = rational_quadratic(other, self._raw(key), self.bound)
        return moved, log_slope.sum(-1)

    def inverse(self, key: Tensor, other: Tensor) -> Tensor:
        """Undoes `forward` for the same key."""
        return rational_quadratic(other, self._raw(key), self.bound, inverse=True)[0]
