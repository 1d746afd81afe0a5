"""Coupling layers: bijections that are cheap both ways, with a triangular Jacobian.

Dinh, Krueger, Bengio, "NICE: Non-linear Independent Components Estimation", 2014,
https://arxiv.org/abs/1410.8516 (additive), and Dinh, Sohl-Dickstein, Bengio, "Density estimation
using Real NVP", 2017, https://arxiv.org/abs/1605.08803 (affine). One half of the coordinates, the
key, parametrises the transform of the other:

    additive   y₂ = x₂ + m(x₁)                 log|det| = 0
    affine     y₂ = x₂ ⊙ exp s(x₁) + t(x₁)     log|det| = Σ s(x₁)
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from typing import ClassVar, Protocol, cast

import torch
from torch import Tensor, nn

from genbench.errors import GenbenchError
from genbench.nets.bijection import Bijection
from genbench.nets.data_norm import data_norms, held
from genbench.nets.mlp import MLP

Network = Callable[[int, int], nn.Module]
"""The network of a coupling: from the sizes of its input and output."""
Layer = Callable[[int, int], nn.Module]
"""A coupling layer: from the sizes of the key and of the half that is transformed."""


class Coupling(Protocol):
    """What a coupling layer does."""

    def __call__(self, key: Tensor, other: Tensor) -> tuple[Tensor, Tensor | None]:
        """The transformed half and its log-determinant, None for zero."""
        ...

    def inverse(self, key: Tensor, other: Tensor) -> Tensor:
        """Undoes the call for the same key."""
        ...


def dense_network(widths: Sequence[int], activation: str, stack: int = 0) -> Network:
    """Fully connected networks of these hidden widths, `stack` of them side by side."""
    return partial(MLP, widths=widths, activation=activation, stack=stack)


def per_dim(dims: int, start: float, stack: int = 0) -> nn.Parameter:
    """A number for each coordinate, (dims,), or (stack, 1, dims)."""
    return nn.Parameter(torch.full((stack, 1, dims) if stack else (dims,), start))


class AdditiveCoupling(nn.Module):
    """Shifts the other half (…, b) by a function of the key (…, a); volume-preserving."""

    def __init__(self, key: int, other: int, network: Network) -> None:
        super().__init__()
        self.net = network(key, other)
        self.norms = data_norms(self.net)

    def forward(self, key: Tensor, other: Tensor) -> tuple[Tensor, Tensor | None]:
        """The transformed half and its log-determinant, None for zero."""
        return other + self.net(key).to(other.dtype), None

    def inverse(self, key: Tensor, other: Tensor) -> Tensor:
        """Undoes `forward` for the same key."""
        with held(self.norms):
            return other - self.net(key).to(other.dtype)


class Affine(nn.Module, ABC):
    """Scales and shifts the other half by functions of the key, which a subclass gives.

    The log-scale is a learned bound times a tanh, so that no example, however far out, can make it
    overflow.
    """

    bound: nn.Parameter
    summed: ClassVar[tuple[int, ...]] = (-1,)
    """The axes of one example."""

    @abstractmethod
    def read(self, key: Tensor) -> tuple[Tensor, Tensor]:
        """The raw log-scale (before the tanh) and the shift for each value of the other half."""

    def forward(self, key: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
        """The transformed half, and its log-determinant without the axes of an example."""
        log_scale, shift = self._terms(key)
        return other * log_scale.exp() + shift, log_scale.sum(self.summed)

    def inverse(self, key: Tensor, other: Tensor) -> Tensor:
        """Undoes `forward` for the same key."""
        log_scale, shift = self._terms(key)
        return (other - shift) * torch.exp(-log_scale)

    def _terms(self, key: Tensor) -> tuple[Tensor, Tensor]:
        raw, shift = self.read(key)
        return self.bound * torch.tanh(raw), shift


class AffineCoupling(Affine):
    """Affine on halves (…, a) and (…, b), by a fully connected network; starts as the identity.

    `bound` is where the learned bound starts (in the authors' code at 0 or 1).
    """

    def __init__(
        self, key: int, other: int, network: Network, bound: float = 0.5, stack: int = 0
    ) -> None:
        super().__init__()
        net = network(key, 2 * other)
        assert isinstance(net, MLP)
        self.net = net.zero_last()
        self.bound = per_dim(other, bound, stack)

    def read(self, key: Tensor) -> tuple[Tensor, Tensor]:
        """Two numbers (…, b) each, of keys (…, a)."""
        raw, shift = self.net(key).to(key.dtype).chunk(2, dim=-1)
        return raw, shift


class Couplings(Bijection):
    """Coupling layers, made by `layer(key, other)`, that transform the two halves in turn.

    With `interleave`, the halves are the even and the odd coordinates (images, as in NICE),
    otherwise the first and the last. With `rescale`, a learned constant shift and scale of every
    coordinate stands before each layer (Glow's actnorm, but started at the identity, so that
    nothing depends on a first batch).
    """

    def __init__(
        self, dims: int, count: int, layer: Layer, *, interleave: bool, rescale: bool = False,
        stack: int = 0,
    ) -> None:
        super().__init__()
        if dims < 2 and count:
            raise GenbenchError(f"a coupling flow needs 2 dimensions or more, not {dims}")
        index = torch.arange(dims)
        order = torch.cat([index[0::2], index[1::2]]) if interleave else index
        self.interleave = interleave
        self.register_buffer("order", order, persistent=False)
        self.register_buffer("back", torch.argsort(order), persistent=False)
        first = (dims + 1) // 2
        self.halves = (first, dims - first)
        self.layers = nn.ModuleList(
            layer(self.halves[i % 2], self.halves[1 - i % 2]) for i in range(count)
        )
        self.shift, self.log_scale = (
            nn.ParameterList(per_dim(dims, 0.0, stack) for _ in range(count if rescale else 0))
            for _ in range(2)
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """x (…, B, D) to h (…, B, D), its coordinates reordered, and log|det ∂h/∂x| (…, B)."""
        h = x[..., self.get_buffer("order")] if self.interleave else x
        log_det = x.new_zeros(x.shape[:-1])
        parts = list(h.split(self.halves, dim=-1))
        for i, layer in enumerate(self.layers):
            if len(self.shift):
                h = (torch.cat(parts, dim=-1) - self.shift[i]) * self.log_scale[i].exp()
                log_det = log_det + self.log_scale[i].sum(-1)
                parts = list(h.split(self.halves, dim=-1))
            key, other = i % 2, 1 - i % 2
            parts[other], term = layer(parts[key], parts[other])
            log_det = log_det if term is None else log_det + term
        return torch.cat(parts, dim=-1), log_det

    def inverse(self, z: Tensor) -> Tensor:
        """h (…, B, D) back to x (…, B, D)."""
        parts = list(z.split(self.halves, dim=-1))
        for i in reversed(range(len(self.layers))):
            layer = cast(Coupling, self.layers[i])
            key, other = i % 2, 1 - i % 2
            parts[other] = layer.inverse(parts[key], parts[other])
            if len(self.shift):
                h = torch.cat(parts, dim=-1) * torch.exp(-self.log_scale[i]) + self.shift[i]
                parts = list(h.split(self.halves, dim=-1))
        h = torch.cat(parts, dim=-1)
        return h[..., self.get_buffer("back")] if self.interleave else h
