"""Coupling layers: bijections with a triangular Jacobian and an inverse as cheap as they are.

Dinh, Krueger, Bengio, "NICE: Non-linear Independent Components Estimation", 2014,
https://arxiv.org/abs/1410.8516 (additive), and Dinh, Sohl-Dickstein, Bengio, "Density estimation
using Real NVP", 2017, https://arxiv.org/abs/1605.08803 (affine). One half of the coordinates, x_a,
parametrises the transform of the other, x_b:

    additive   y_b = x_b + m(x_a)                  log|det| = 0
    affine     y_b = x_b ⊙ exp s(x_a) + t(x_a)     log|det| = Σ s(x_a)
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from typing import ClassVar, Protocol, cast

import torch
from torch import Tensor, nn

from genbench.errors import GenbenchError
from genbench.nets.bijection import Bijection
from genbench.nets.data_norm import data_norms, use_running_stats
from genbench.nets.mlp import MLP

Network = Callable[[int, int], nn.Module]
"""Makes a coupling's network, of the given input and output sizes."""
Layer = Callable[[int, int], nn.Module]
"""Makes a coupling layer, for x_a and x_b of the given sizes."""


class Coupling(Protocol):
    """The interface of a coupling layer."""

    def __call__(self, x_a: Tensor, x_b: Tensor) -> tuple[Tensor, Tensor | None]:
        """y_b and the log-determinant, None for zero."""
        ...

    def inverse(self, x_a: Tensor, y_b: Tensor) -> Tensor:
        """x_b."""
        ...


def dense_network(widths: Sequence[int], activation: str, stack: int = 0) -> Network:
    """Makes fully connected networks, or stacks of `stack` of them."""
    return partial(MLP, widths=widths, activation=activation, stack=stack)


def per_dim(dims: int, initial: float, stack: int = 0) -> nn.Parameter:
    """A parameter for each coordinate, (dims,), or (stack, 1, dims)."""
    return nn.Parameter(torch.full((stack, 1, dims) if stack else (dims,), initial))


class AdditiveCoupling(nn.Module):
    """An additive coupling of x_a (…, a) and x_b (…, b); volume-preserving."""

    def __init__(self, dims_a: int, dims_b: int, network: Network) -> None:
        super().__init__()
        self.net = network(dims_a, dims_b)
        self.norms = data_norms(self.net)

    def forward(self, x_a: Tensor, x_b: Tensor) -> tuple[Tensor, Tensor | None]:
        """y_b and the log-determinant, None for zero."""
        return x_b + self.net(x_a).to(x_b.dtype), None

    def inverse(self, x_a: Tensor, y_b: Tensor) -> Tensor:
        """x_b."""
        with use_running_stats(self.norms):
            return y_b - self.net(x_a).to(y_b.dtype)


class Affine(nn.Module, ABC):
    """An affine coupling, whose network a subclass defines.

    The log-scale is a learned bound times a tanh, so that outliers cannot make it overflow.
    """

    bound: nn.Parameter
    event_axes: ClassVar[tuple[int, ...]] = (-1,)
    """The axes of one example."""

    @abstractmethod
    def parameters_of(self, x_a: Tensor) -> tuple[Tensor, Tensor]:
        """The log-scale (before the tanh) and the shift t, each of the shape of x_b."""

    def forward(self, x_a: Tensor, x_b: Tensor) -> tuple[Tensor, Tensor]:
        """y_b and the log-determinant, summed over the axes of an example."""
        s, t = self._scale_and_shift(x_a)
        return x_b * s.exp() + t, s.sum(self.event_axes)

    def inverse(self, x_a: Tensor, y_b: Tensor) -> Tensor:
        """x_b."""
        s, t = self._scale_and_shift(x_a)
        return (y_b - t) * torch.exp(-s)

    def _scale_and_shift(self, x_a: Tensor) -> tuple[Tensor, Tensor]:
        raw, t = self.parameters_of(x_a)
        return self.bound * torch.tanh(raw), t


class AffineCoupling(Affine):
    """Affine on x_a (…, a) and x_b (…, b), by a fully connected network; initially the identity.

    `bound` is the initial value of the learned bound (in the authors' code 0 or 1).
    """

    def __init__(
        self, dims_a: int, dims_b: int, network: Network, bound: float = 0.5, stack: int = 0
    ) -> None:
        super().__init__()
        net = network(dims_a, 2 * dims_b)
        assert isinstance(net, MLP)
        self.net = net.zero_last()
        self.bound = per_dim(dims_b, bound, stack)

    def parameters_of(self, x_a: Tensor) -> tuple[Tensor, Tensor]:
        """(…, b) each, of x_a (…, a)."""
        raw, t = self.net(x_a).to(x_a.dtype).chunk(2, dim=-1)
        return raw, t


class Couplings(Bijection):
    """Coupling layers, made by `layer(dims_a, dims_b)`, that transform the halves alternately.

    With `interleave`, the halves are the even and the odd coordinates (images, as in NICE),
    otherwise the first and the last. With `rescale`, a learned elementwise shift and scale
    precedes each layer (Glow's actnorm, but initialised as the identity, independently of data).
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
        self.register_buffer("inverse_order", torch.argsort(order), persistent=False)
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
        """h (…, B, D) of x (…, B, D), its coordinates permuted, and log|det ∂h/∂x| (…, B)."""
        h = x[..., self.get_buffer("order")] if self.interleave else x
        log_det = x.new_zeros(x.shape[:-1])
        parts = list(h.split(self.halves, dim=-1))
        for i, layer in enumerate(self.layers):
            if len(self.shift):
                h = (torch.cat(parts, dim=-1) - self.shift[i]) * self.log_scale[i].exp()
                log_det = log_det + self.log_scale[i].sum(-1)
                parts = list(h.split(self.halves, dim=-1))
            a, b = i % 2, 1 - i % 2
            parts[b], term = layer(parts[a], parts[b])
            log_det = log_det if term is None else log_det + term
        return torch.cat(parts, dim=-1), log_det

    def inverse(self, z: Tensor) -> Tensor:
        """x (…, B, D) of h (…, B, D)."""
        parts = list(z.split(self.halves, dim=-1))
        for i in reversed(range(len(self.layers))):
            layer = cast(Coupling, self.layers[i])
            a, b = i % 2, 1 - i % 2
            parts[b] = layer.inverse(parts[a], parts[b])
            if len(self.shift):
                h = torch.cat(parts, dim=-1) * torch.exp(-self.log_scale[i]) + self.shift[i]
                parts = list(h.split(self.halves, dim=-1))
        h = torch.cat(parts, dim=-1)
        return h[..., self.get_buffer("inverse_order")] if self.interleave else h
