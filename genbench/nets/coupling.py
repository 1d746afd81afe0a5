"""Coupling layers: bijections that are cheap both ways, with a triangular Jacobian.

Dinh, Krueger, Bengio, "NICE: Non-linear Independent Components Estimation", 2014,
https://arxiv.org/abs/1410.8516 (additive), and Dinh, Sohl-Dickstein, Bengio, "Density estimation
using Real NVP", 2017, https://arxiv.org/abs/1605.08803 (affine). One half of the coordinates, the
key, says how the other is moved:

    additive   y₂ = x₂ + m(x₁)                 log|det| = 0
    affine     y₂ = x₂ ⊙ exp s(x₁) + t(x₁)     log|det| = Σ s(x₁)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from genbench.errors import GenbenchError
from genbench.nets.mlp import MLP

__all__ = ["AdditiveCoupling", "AffineCoupling", "Couplings"]


class AdditiveCoupling(nn.Module):
    """Moves the other half (B, b) by a function of the key (B, a); the volume is kept."""

    def __init__(self, key: int, other: int, widths: Sequence[int], activation: str) -> None:
        super().__init__()
        self.net = MLP(key, other, widths, activation)

    def forward(self, key: Tensor, other: Tensor) -> tuple[Tensor, Tensor | None]:
        """The moved half and its log-determinant, None for zero."""
        return other + self.net(key), None

    def inverse(self, key: Tensor, other: Tensor) -> Tensor:
        """Undoes `forward` for the same key."""
        return other - self.net(key)


class AffineCoupling(nn.Module):
    """Scales and moves the other half (B, b) by functions of the key (B, a).

    The log-scale is a learned bound (starting at 2) times a tanh, so that no datum, however far
    out, can make it overflow. It starts as the identity.
    """

    def __init__(self, key: int, other: int, widths: Sequence[int], activation: str) -> None:
        super().__init__()
        self.net = MLP(key, 2 * other, widths, activation).zero_last()
        self.bound = nn.Parameter(torch.full((other,), 2.0))

    def _terms(self, key: Tensor) -> tuple[Tensor, Tensor]:
        raw, shift = self.net(key).to(key.dtype).chunk(2, dim=1)
        return self.bound * torch.tanh(raw), shift

    def forward(self, key: Tensor, other: Tensor) -> tuple[Tensor, Tensor | None]:
        """The moved half and its log-determinant (B,)."""
        log_scale, shift = self._terms(key)
        return other * log_scale.exp() + shift, log_scale.sum(1)

    def inverse(self, key: Tensor, other: Tensor) -> Tensor:
        """Undoes `forward` for the same key."""
        log_scale, shift = self._terms(key)
        return (other - shift) * torch.exp(-log_scale)


class Couplings(nn.Module):
    """A stack of coupling layers that move the two halves in turn.

    With `interleave`, the halves are the even and the odd coordinates (images, as in NICE),
    otherwise the first and the last. With `rescale`, a learned constant shift and scale of every
    coordinate stands before each layer (Glow's actnorm, but started at the identity, so that
    nothing depends on a first batch).
    """

    def __init__(
        self, dims: int, count: int, widths: Sequence[int], activation: str,
        *, kind: Literal["additive", "affine"], interleave: bool, rescale: bool = False,
    ) -> None:
        super().__init__()
        if dims < 2:
            raise GenbenchError(f"a coupling flow needs 2 dimensions or more, not {dims}")
        index = torch.arange(dims)
        order = torch.cat([index[0::2], index[1::2]]) if interleave else index
        self.register_buffer("order", order, persistent=False)
        self.register_buffer("back", torch.argsort(order), persistent=False)
        first = (dims + 1) // 2
        self.halves = (first, dims - first)
        layer = AdditiveCoupling if kind == "additive" else AffineCoupling
        self.layers = nn.ModuleList(
            layer(self.halves[i % 2], self.halves[1 - i % 2], widths, activation)
            for i in range(count)
        )
        self.shift, self.log_scale = (
            nn.ParameterList(torch.zeros(dims) for _ in range(count if rescale else 0))
            for _ in range(2)
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """x (B, D) to h (B, D), its coordinates reordered, and log|det ∂h/∂x| (B,)."""
        h = x[:, self.get_buffer("order")]
        log_det = x.new_zeros(len(x))
        for i, layer in enumerate(self.layers):
            if len(self.shift):
                h = (h - self.shift[i]) * self.log_scale[i].exp()
                log_det = log_det + self.log_scale[i].sum()
            parts = list(h.split(self.halves, dim=1))
            key, other = i % 2, 1 - i % 2
            parts[other], term = layer(parts[key], parts[other])
            log_det = log_det if term is None else log_det + term
            h = torch.cat(parts, dim=1)
        return h, log_det

    def inverse(self, h: Tensor) -> Tensor:
        """h (B, D) back to x (B, D)."""
        for i in reversed(range(len(self.layers))):
            layer = self.layers[i]
            assert isinstance(layer, AdditiveCoupling | AffineCoupling)
            parts = list(h.split(self.halves, dim=1))
            key, other = i % 2, 1 - i % 2
            parts[other] = layer.inverse(parts[key], parts[other])
            h = torch.cat(parts, dim=1)
            if len(self.shift):
                h = h * torch.exp(-self.log_scale[i]) + self.shift[i]
        return h[:, self.get_buffer("back")]
