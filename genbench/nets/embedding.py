"""Sinusoidal embeddings of the diffusion step, and the network for points that uses them.

Vaswani et al., "Attention Is All You Need", 2017, https://arxiv.org/abs/1706.03762, section 3.5.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from genbench.nets.mlp import MLP


def sinusoidal_embedding(steps: int, width: int) -> Tensor:
    """Embeddings (steps, width) of the steps 0 … steps−1, rescaled to Ho et al.'s 0 … 1000."""
    half = width // 2
    position = torch.arange(steps).float() * (1000 / steps)
    frequencies = torch.exp(-math.log(10_000) * torch.arange(half) / half)
    angles = position[:, None] * frequencies  # (steps, half)
    return torch.cat([angles.sin(), angles.cos()], dim=1)


_FREQUENCIES = (1.0, 2.0, 4.0, 8.0)
"""Of the Fourier features."""
_MAX_FOURIER_DIMS = 8
"""Data of more dimensions get no Fourier features."""


class StepMLP(nn.Module):
    """An MLP of flattened data, conditioned on the diffusion step.

    Data of few dimensions get Fourier features as further inputs, without which an MLP is slow to
    learn high frequencies (Tancik et al., "Fourier Features Let Networks Learn High Frequency
    Functions in Low Dimensional Domains", 2020, https://arxiv.org/abs/2006.10739).
    """

    def __init__(
        self, dims: int, widths: Sequence[int], steps: int, embedding: int = 32, outputs: int = 1,
    ) -> None:
        super().__init__()
        self.register_buffer("table", sinusoidal_embedding(steps, embedding), persistent=False)
        self.fourier = dims <= _MAX_FOURIER_DIMS
        features = dims * (2 * len(_FREQUENCIES) + 1) if self.fourier else dims
        self.net = MLP(features + embedding, outputs * dims, widths, "silu").zero_last()

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        """x (B, C, …) at steps t (B,) int64, to (B, outputs · C, …)."""
        table = self.get_buffer("table")
        flat = x.flatten(1)
        parts = [flat, table[t].to(x.dtype)]
        for frequency in _FREQUENCIES if self.fourier else ():
            parts += [torch.sin(frequency * flat), torch.cos(frequency * flat)]
        return self.net(torch.cat(parts, dim=1)).reshape(len(x), -1, *x.shape[2:])
