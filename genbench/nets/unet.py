"""A small U-Net conditioned on the diffusion time step.

After Ronneberger, Fischer, Brox, "U-Net", 2015, https://arxiv.org/abs/1505.04597, in the form of
Ho, Jain, Abbeel, "Denoising Diffusion Probabilistic Models", 2020,
https://arxiv.org/abs/2006.11239, appendix B: residual blocks with group normalisation,
self-attention at the coarsest level. Left out: dropout, several blocks per level.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from genbench.nets.embedding import sinusoidal_embedding


def _norm(channels: int) -> nn.GroupNorm:
    return nn.GroupNorm(math.gcd(8, channels), channels)


def _zeroed(layer: nn.Conv2d) -> nn.Conv2d:
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
    return layer


class _Block(nn.Module):
    """A residual block of two convolutions; the step embedding is added between them."""

    def __init__(self, inputs: int, outputs: int, embedding: int) -> None:
        super().__init__()
        self.first = nn.Sequential(
            _norm(inputs), nn.SiLU(), nn.Conv2d(inputs, outputs, 3, padding=1)
        )
        self.step = nn.Linear(embedding, outputs)
        self.second = nn.Sequential(
            _norm(outputs), nn.SiLU(), _zeroed(nn.Conv2d(outputs, outputs, 3, padding=1))
        )
        self.skip = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(self, h: Tensor, e: Tensor) -> Tensor:
        inner = self.first(h) + self.step(e)[:, :, None, None]
        return self.skip(h) + self.second(inner)


class _Attention(nn.Module):
    """Single-head self-attention over the positions of a feature map."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = _norm(channels)
        self.project = nn.Conv2d(channels, 3 * channels, 1)
        self.out = _zeroed(nn.Conv2d(channels, channels, 1))

    def forward(self, h: Tensor) -> Tensor:
        query, key, value = (
            part.flatten(2).transpose(1, 2) for part in self.project(self.norm(h)).chunk(3, dim=1)
        )  # each (B, H·W, C)
        attended = F.scaled_dot_product_attention(query, key, value)
        return h + self.out(attended.transpose(1, 2).reshape(h.shape))


class UNet(nn.Module):
    """Images (B, C, H, W) and steps (B,) to `outputs` images each, initially zero.

    Level i has `width · multipliers[i]` channels and half the resolution of the level above. Sizes
    that are not multiples of 2^(levels − 1) are zero-padded, and the output cropped.
    """

    def __init__(
        self, channels: int, width: int, multipliers: Sequence[int], steps: int,
        outputs: int = 1,
    ) -> None:
        super().__init__()
        sinusoids, embedding = 2 * (width // 2 + 1), 4 * width
        self.register_buffer("table", sinusoidal_embedding(steps, sinusoids), persistent=False)
        self.embed = nn.Sequential(
            nn.Linear(sinusoids, embedding), nn.SiLU(),
            nn.Linear(embedding, embedding), nn.SiLU(),
        )
        sizes = [width * m for m in multipliers]
        self.head = nn.Conv2d(channels, width, 3, padding=1)
        self.down = nn.ModuleList(
            _Block(a, b, embedding) for a, b in zip([width, *sizes], sizes, strict=False)
        )
        self.shrink = nn.ModuleList(nn.Conv2d(s, s, 3, 2, padding=1) for s in sizes[:-1])
        self.middle = nn.ModuleList(_Block(sizes[-1], sizes[-1], embedding) for _ in range(2))
        self.attention = _Attention(sizes[-1])
        above = [sizes[-1], *reversed(sizes)]
        self.up = nn.ModuleList(
            _Block(a + s, s, embedding) for a, s in zip(above, reversed(sizes), strict=False)
        )
        self.grow = nn.ModuleList(nn.Conv2d(s, s, 3, padding=1) for s in reversed(sizes[1:]))
        self.tail = nn.Sequential(
            _norm(sizes[0]), nn.SiLU(),
            _zeroed(nn.Conv2d(sizes[0], outputs * channels, 3, padding=1)),
        )

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        """x (B, C, H, W) at steps t (B,) int64, to (B, outputs · C, H, W)."""
        height, width = x.shape[2:]
        unit = 2 ** len(self.shrink)
        h = self.head(F.pad(x, (0, -width % unit, 0, -height % unit)))
        e = self.embed(self.get_buffer("table")[t].to(x.dtype))  # (B, embedding)
        skips = []
        for i, block in enumerate(self.down):
            h = block(h, e)
            skips.append(h)
            if i < len(self.shrink):
                h = self.shrink[i](h)
        h = self.middle[1](self.attention(self.middle[0](h, e)), e)
        for i, block in enumerate(self.up):
            h = block(torch.cat([h, skips.pop()], dim=1), e)
            if i < len(self.grow):
                h = self.grow[i](F.interpolate(h, scale_factor=2, mode="nearest"))
        return self.tail(h)[:, :, :height, :width]
