"""What lets a critic see a batch as a whole: how like one another its examples are.

- discrimination: Tim Salimans, Ian Goodfellow, Wojciech Zaremba, Vicki Cheung, Alec Radford, Xi
  Chen: Improved Techniques for Training GANs, 2016, https://arxiv.org/abs/1606.03498
- deviation: Tero Karras, Timo Aila, Samuli Laine, Jaakko Lehtinen: Progressive Growing of GANs,
  2018, https://arxiv.org/abs/1710.10196
"""

import math

import torch
from torch import Tensor, nn

from genbench.nets.precision import exact


class MinibatchDiscrimination(nn.Module):
    """Features (B, F) with `similarities` more: o_b(x_i) = mean_j exp(−‖M_ib − M_jb‖₁).

    M_i = f(x_i) T has a row of `DEPTH` numbers for each similarity b; the mean is over the whole
    batch, x_i among it. The paper sums, in a critic that weight norm, noise and dropout hold back:
    a head that learns by Adam learns by a sum as many times faster as the batch has rows, and
    tells data from samples before a generator can follow.
    """

    DEPTH = 5

    def __init__(self, features: int, similarities: int) -> None:
        super().__init__()
        start = torch.randn(features, similarities, self.DEPTH) / math.sqrt(features)
        self.kernel = nn.Parameter(start)

    def forward(self, features: Tensor) -> Tensor:
        """(B, F) to (B, F + similarities)."""
        rows = torch.einsum("bf,fsd->bsd", features, self.kernel)
        apart = (rows[:, None] - rows).abs().sum(3)  # (B, B, similarities)
        return torch.cat((features, torch.exp(-apart).mean(1)), 1)


class MinibatchDeviation(nn.Module):
    """Features (B, F) with one more: the mean over features of their deviation in the batch."""

    def forward(self, features: Tensor) -> Tensor:
        """(B, F) to (B, F + 1)."""
        variance = exact(features).var(0, correction=0)
        deviation = (variance + 1e-8).sqrt().mean().expand(len(features), 1)
        return torch.cat((features, deviation), 1)
