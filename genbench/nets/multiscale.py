"""A convolutional flow of several scales: steps of Glow, between them squeezes and splits.

Diederik Kingma, Prafulla Dhariwal: Glow: Generative Flow with Invertible 1×1 Convolutions, 2018,
https://arxiv.org/abs/1807.03039. A step at each of L scales is

    h ← (h − shift) ⊙ exp s,   h ← W h over channels,   h_b ← h_b ⊙ exp s(h_a) + t(h_a)

with log|det| = H·W·(Σ s + log|det W|) + Σ s(h_a). Before the steps of a scale each 2×2 block
becomes four channels (a squeeze); after them half of the channels leave, scaled and shifted by
what the other half says of them (the learned prior of a split).
"""

import math
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import pixel_shuffle, pixel_unshuffle

from genbench.errors import GenbenchError
from genbench.nets.bijection import Bijection
from genbench.nets.coupling import Affine
from genbench.nets.precision import full_precision


class ConvAffine(Affine):
    """Affine on maps h_a (B, T, a, H, W) and h_b (B, T, b, H, W); log-determinants (B, T).

    The network is a 3×3, a 1×1 and a 3×3 convolution. It starts as the identity.
    """

    summed = (2, 3, 4)

    def __init__(self, key: int, other: int, hidden: int, stack: int) -> None:
        super().__init__()
        self.stack = stack
        self.net = nn.Sequential(
            nn.Conv2d(stack * key, stack * hidden, 3, padding=1, groups=stack), nn.ReLU(),
            nn.Conv2d(stack * hidden, stack * hidden, 1, groups=stack), nn.ReLU(),
            nn.Conv2d(stack * hidden, stack * 2 * other, 3, padding=1, groups=stack),
        )
        for parameter in self.net[-1].parameters():
            nn.init.zeros_(parameter)
        self.bound = nn.Parameter(torch.full((stack, other, 1, 1), 2.0))

    def read(self, key: Tensor) -> tuple[Tensor, Tensor]:
        """Two maps (B, T, b, H, W), of keys (B, T, a, H, W)."""
        out = self.net(key.flatten(1, 2)).to(key.dtype).unflatten(1, (self.stack, -1))
        raw, shift = out.chunk(2, dim=2)
        return raw, shift


class Step(nn.Module):
    """Activation normalisation, a 1×1 convolution, and an affine coupling of the channels."""

    def __init__(self, channels: int, hidden: int, stack: int) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.zeros(stack, channels, 1, 1))
        self.log_scale = nn.Parameter(torch.zeros(stack, channels, 1, 1))
        rotations = torch.linalg.qr(torch.randn(stack, channels, channels)).Q
        self.mix = nn.Parameter(rotations.contiguous())
        self.halves = (channels // 2, channels - channels // 2)
        self.coupling = ConvAffine(*self.halves, hidden, stack)

    def forward(self, h: Tensor) -> tuple[Tensor, Tensor]:
        """h (B, T, C, H, W) to maps of the same shape, and the log-determinant (B, T)."""
        size = h.shape[-2] * h.shape[-1]
        h = _mixed(self.mix, (h - self.shift) * self.log_scale.exp())
        constant = size * (self.log_scale.sum((1, 2, 3)) + torch.linalg.slogdet(self.mix)[1])
        key, other = h.split(self.halves, dim=2)
        moved, term = self.coupling(key, other)
        return torch.cat((key, moved), dim=2), constant + term

    def inverse(self, h: Tensor) -> Tensor:
        """Undoes `forward`."""
        key, other = h.split(self.halves, dim=2)
        h = torch.cat((key, self.coupling.inverse(key, other)), dim=2)
        return _mixed(torch.linalg.inv(self.mix), h) * torch.exp(-self.log_scale) + self.shift


class MultiScale(Bijection):
    """`steps` steps at each of `levels` scales, for images of shape (C, H, W).

    Raises:
        GenbenchError: data that are no such images, or whose sides cannot be halved so often.
    """

    def __init__(
        self, shape: tuple[int, ...], levels: int, steps: int, hidden: int, stack: int = 0,
    ) -> None:
        super().__init__()
        if len(shape) != 3 or shape[1] % 2**levels or shape[2] % 2**levels:
            size = "×".join(map(str, shape))
            raise GenbenchError(
                f"glow: levels: {levels} is for images whose sides are multiples of "
                f"{2**levels}, not for data of shape {size}; use fewer levels, or another flow"
            )
        self.shape, self.stack = shape, stack
        channels, height, width = shape
        many = max(1, stack)
        layers: list[nn.Module] = []
        splits = []
        self.codes: list[tuple[int, int, int]] = []
        """The shape of the code that leaves after each scale."""
        for level in range(levels):
            channels, height, width = 4 * channels, height // 2, width // 2
            layers += [Step(channels, hidden, many) for _ in range(steps)]
            if level < levels - 1:
                channels //= 2
                splits.append(ConvAffine(channels, channels, hidden, many))
            self.codes.append((channels, height, width))
        self.steps, self.splits = nn.ModuleList(layers), nn.ModuleList(splits)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """x (…, B, D) to codes (…, B, D), coarse scales last, and log|det ∂z/∂x| (…, B)."""
        h = self._stacked(x).unflatten(2, self.shape)
        log_det, codes = h.new_zeros(h.shape[:2]), []
        for level in range(len(self.codes)):
            h = pixel_unshuffle(h, 2)
            for step in self._steps(level):
                h, term = step(h)
                log_det = log_det + term
            if level < len(self.splits):
                h, leaving = h.chunk(2, dim=2)
                code, term = self.splits[level](h, leaving)
                codes.append(code.flatten(2))
                log_det = log_det + term
        return self._rows(torch.cat([*codes, h.flatten(2)], dim=2)), self._rows(log_det)

    def inverse(self, z: Tensor) -> Tensor:
        """Codes (…, B, D) back to x (…, B, D)."""
        parts = self._stacked(z).split([math.prod(shape) for shape in self.codes], dim=2)
        h = parts[-1].unflatten(2, self.codes[-1])
        for level in reversed(range(len(self.codes))):
            if level < len(self.splits):
                code = parts[level].unflatten(2, self.codes[level])
                split = cast(ConvAffine, self.splits[level])
                h = torch.cat((h, split.inverse(h, code)), dim=2)
            for step in reversed(self._steps(level)):
                h = step.inverse(h)
            h = pixel_shuffle(h, 2)
        return self._rows(h.flatten(2))

    def _steps(self, level: int) -> list[Step]:
        count = len(self.steps) // len(self.codes)
        return [cast(Step, step) for step in self.steps[level * count : (level + 1) * count]]

    def _stacked(self, x: Tensor) -> Tensor:
        """(T, B, …) or (B, …) as (B, T, …)."""
        return x.transpose(0, 1) if self.stack else x[:, None]

    def _rows(self, y: Tensor) -> Tensor:
        """(B, T, …) as (T, B, …) or (B, …)."""
        return y.transpose(0, 1) if self.stack else y[:, 0]


def _mixed(matrix: Tensor, h: Tensor) -> Tensor:
    """A product over channels: matrices (T, C, C), maps (B, T, C, H, W); exact under autocast."""
    with full_precision(h):
        return (matrix @ h.flatten(3)).unflatten(3, h.shape[3:])
