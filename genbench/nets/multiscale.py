"""The multi-scale convolutional flow of Glow: squeeze, steps of flow, split, at each level.

Diederik Kingma, Prafulla Dhariwal: Glow: Generative Flow with Invertible 1×1 Convolutions, 2018,
https://arxiv.org/abs/1807.03039. A step of flow is actnorm, a 1×1 convolution and a coupling:

    h ← (h − b) ⊙ exp s,   h ← W h over channels,   h_b ← h_b ⊙ exp s(h_a) + t(h_a)

with log|det| = H·W·(Σ s + log|det W|) + Σ s(h_a). A squeeze turns each 2×2 block of pixels into
four channels; a split factors out half of the channels, after an affine transform conditioned on
the other half (the learned prior).
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

    The network is a 3×3, a 1×1 and a 3×3 convolution. The coupling is initially the identity.
    """

    event_axes = (2, 3, 4)

    def __init__(self, channels_a: int, channels_b: int, hidden: int, stack: int) -> None:
        super().__init__()
        self.stack = stack
        self.net = nn.Sequential(
            nn.Conv2d(stack * channels_a, stack * hidden, 3, padding=1, groups=stack), nn.ReLU(),
            nn.Conv2d(stack * hidden, stack * hidden, 1, groups=stack), nn.ReLU(),
            nn.Conv2d(stack * hidden, stack * 2 * channels_b, 3, padding=1, groups=stack),
        )
        for parameter in self.net[-1].parameters():
            nn.init.zeros_(parameter)
        self.bound = nn.Parameter(torch.full((stack, channels_b, 1, 1), 2.0))

    def parameters_of(self, x_a: Tensor) -> tuple[Tensor, Tensor]:
        """(B, T, b, H, W) each, of maps (B, T, a, H, W)."""
        out = self.net(x_a.flatten(1, 2)).to(x_a.dtype).unflatten(1, (self.stack, -1))
        raw, t = out.chunk(2, dim=2)
        return raw, t


class Step(nn.Module):
    """A step of flow: actnorm, an invertible 1×1 convolution, an affine coupling of channels."""

    def __init__(self, channels: int, hidden: int, stack: int) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.zeros(stack, channels, 1, 1))
        self.log_scale = nn.Parameter(torch.zeros(stack, channels, 1, 1))
        rotations = torch.linalg.qr(torch.randn(stack, channels, channels)).Q
        self.mix = nn.Parameter(rotations.contiguous())
        self.halves = (channels // 2, channels - channels // 2)
        self.coupling = ConvAffine(*self.halves, hidden, stack)

    def forward(self, h: Tensor) -> tuple[Tensor, Tensor]:
        """The outputs of h (B, T, C, H, W), of the same shape, and the log-determinant (B, T)."""
        size = h.shape[-2] * h.shape[-1]
        h = _conv1x1(self.mix, (h - self.shift) * self.log_scale.exp())
        constant = size * (self.log_scale.sum((1, 2, 3)) + torch.linalg.slogdet(self.mix)[1])
        h_a, h_b = h.split(self.halves, dim=2)
        y_b, term = self.coupling(h_a, h_b)
        return torch.cat((h_a, y_b), dim=2), constant + term

    def inverse(self, h: Tensor) -> Tensor:
        """The inputs of outputs h (B, T, C, H, W)."""
        h_a, y_b = h.split(self.halves, dim=2)
        h = torch.cat((h_a, self.coupling.inverse(h_a, y_b)), dim=2)
        return _conv1x1(torch.linalg.inv(self.mix), h) * torch.exp(-self.log_scale) + self.shift


class MultiScale(Bijection):
    """`steps` steps of flow at each of `levels` levels, for images of shape (C, H, W).

    Raises:
        GenbenchError: other data, or images whose sides are not multiples of 2^levels.
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
        count = max(1, stack)
        layers: list[nn.Module] = []
        splits = []
        self.z_shapes: list[tuple[int, int, int]] = []
        """The shape of the latents that are factored out at each level."""
        for level in range(levels):
            channels, height, width = 4 * channels, height // 2, width // 2
            layers += [Step(channels, hidden, count) for _ in range(steps)]
            if level < levels - 1:
                channels //= 2
                splits.append(ConvAffine(channels, channels, hidden, count))
            self.z_shapes.append((channels, height, width))
        self.steps, self.splits = nn.ModuleList(layers), nn.ModuleList(splits)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """z (…, B, D) of x (…, B, D), coarse levels last, and log|det ∂z/∂x| (…, B)."""
        h = self._stacked(x).unflatten(2, self.shape)
        log_det, z = h.new_zeros(h.shape[:2]), []
        for level in range(len(self.z_shapes)):
            h = pixel_unshuffle(h, 2)
            for step in self._steps(level):
                h, term = step(h)
                log_det = log_det + term
            if level < len(self.splits):
                h, h_b = h.chunk(2, dim=2)
                z_level, term = self.splits[level](h, h_b)
                z.append(z_level.flatten(2))
                log_det = log_det + term
        return self._rows(torch.cat([*z, h.flatten(2)], dim=2)), self._rows(log_det)

    def inverse(self, z: Tensor) -> Tensor:
        """x (…, B, D) of z (…, B, D)."""
        parts = self._stacked(z).split([math.prod(shape) for shape in self.z_shapes], dim=2)
        h = parts[-1].unflatten(2, self.z_shapes[-1])
        for level in reversed(range(len(self.z_shapes))):
            if level < len(self.splits):
                z_level = parts[level].unflatten(2, self.z_shapes[level])
                split = cast(ConvAffine, self.splits[level])
                h = torch.cat((h, split.inverse(h, z_level)), dim=2)
            for step in reversed(self._steps(level)):
                h = step.inverse(h)
            h = pixel_shuffle(h, 2)
        return self._rows(h.flatten(2))

    def _steps(self, level: int) -> list[Step]:
        count = len(self.steps) // len(self.z_shapes)
        return [cast(Step, step) for step in self.steps[level * count : (level + 1) * count]]

    def _stacked(self, x: Tensor) -> Tensor:
        """(T, B, …) or (B, …) as (B, T, …)."""
        return x.transpose(0, 1) if self.stack else x[:, None]

    def _rows(self, y: Tensor) -> Tensor:
        """(B, T, …) as (T, B, …) or (B, …)."""
        return y.transpose(0, 1) if self.stack else y[:, 0]


def _conv1x1(weight: Tensor, h: Tensor) -> Tensor:
    """Matrices (T, C, C) times the channels of h (B, T, C, H, W), without autocast."""
    with full_precision(h):
        return (weight @ h.flatten(3)).unflatten(3, h.shape[3:])
