"""Minibatch features of a critic: statistics of the batch as further features of its examples.

- discrimination: Tim Salimans, Ian Goodfellow, Wojciech Zaremba, Vicki Cheung, Alec Radford, Xi
  Chen: Improved Techniques for Training GANs, 2016, https://arxiv.org/abs/1606.03498
- standard deviation: Tero Karras, Timo Aila, Samuli Laine, Jaakko Lehtinen: Progressive Growing of
  GANs, 2018, https://arxiv.org/abs/1710.10196
"""

import math

import torch
from torch import Tensor, nn

from genbench.nets.precision import to_float32


class MinibatchDiscrimination(nn.Module):
    """Features (B, F) with `similarities` more: o(x_i)_b = mean_j exp(−‖M_ib − M_jb‖₁).

    M_i = f(x_i) T has a row of `DEPTH` numbers for each similarity b; the mean is over the whole
    batch, including x_i. The paper takes the sum, in a critic with weight norm, noise and dropout.
    Without these, and with Adam, sums scale the features by the batch size, and the critic
    separates data from samples before the generator can learn.
    """

    DEPTH = 5

    def __init__(self, features: int, similarities: int) -> None:
        super().__init__()
        initial = torch.randn(features, similarities, self.DEPTH) / math.sqrt(features)
        self.kernel = nn.Parameter(initial)

    def forward(self, features: Tensor) -> Tensor:
        """(B, F) to (B, F + similarities)."""
        m = torch.einsum("bf,fsd->bsd", features, self.kernel)
        distances = (m[:, None] - m).abs().sum(3)  # (B, B, similarities)
        return torch.cat((features, torch.exp(-distances).mean(1)), 1)


class MinibatchDeviation(nn.Module):
    """Features (B, F) with one more: the mean standard deviation of the features in the batch."""

    def forward(self, features: Tensor) -> Tensor:
        """(B, F) to (B, F + 1)."""
        variance = to_float32(features).var(0, correction=0)
        deviation = (variance + 1e-8).sqrt().mean().expand(len(features), 1)
        return torch.cat((features, deviation), 1)
