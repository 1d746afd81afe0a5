"""Sinusoidal embeddings of a diffusion step, and the network for points that uses them.

Vaswani et al., "Attention Is All You Need", 2017, https://arxiv.org/abs/1706.03762, section 3.5.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from genbench.nets.mlp import MLP


def sinusoids(steps: int, width: int) -> Tensor:
    """Embeddings (steps, width) of the steps 0 … steps−1, stretched over Ho et al.'s 1000."""
    half = width // 2
    position = torch.arange(steps).float() * (1000 / steps)
    rates = torch.exp(-math.log(10_000) * torch.arange(half) / half)
    angles = position[:, None] * rates  # (steps, half)
    return torch.cat([angles.sin(), angles.cos()], dim=1)

_OCTAVES = (1.0, 2.0, 4.0, 8.0)
_FEW = 8


class StepMLP(nn.Module):
    """Predicts from points and a step: an MLP of both, flattening what it is given.

    Points of few dimensions are also shown as sines and cosines of themselves, without which an
    MLP is slow to learn sharp structure (Tancik et al., "Fourier Features Let Networks Learn High
    Frequency Functions in Low Dimensional Domains", 2020, https://arxiv.org/abs/2006.10739).
    """

    def __init__(
        self, dims: int, widths: Sequence[int], steps: int, embedding: int = 32, outputs: int = 1,
    ) -> None:
        super().__init__()
        self.register_buffer("table", sinusoids(steps, embedding), persistent=False)
        features = dims * (2 * len(_OCTAVES) + 1) if dims <= _FEW else dims
        self.waves = dims <= _FEW
        self.net = MLP(features + embedding, outputs * dims, widths, "silu").zero_last()

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        """x (B, C, …) at steps t (B,) int64, to (B, outputs · C, …)."""
        table = self.get_buffer("table")
        flat = x.flatten(1)
        parts = [flat, table[t].to(x.dtype)]
        for rate in _OCTAVES if self.waves else ():
            parts += [torch.sin(rate * flat), torch.cos(rate * flat)]
        return self.net(torch.cat(parts, dim=1)).reshape(len(x), -1, *x.shape[2:])
