"""Strided convolutions that halve and double images.

Alec Radford, Luke Metz, Soumith Chintala: Unsupervised Representation Learning with Deep
Convolutional Generative Adversarial Networks, 2016, https://arxiv.org/abs/1511.06434

Kernels of 4 with stride 2 and padding 1, as most implementations have them (the paper: 5), for
images of any size from 8×8 on: as many halvings as leave 4 pixels on the shorter side.
"""

import math
from itertools import pairwise

from torch import Tensor, nn

from genbench.errors import GenbenchError
from genbench.nets.norms import norm_layers
from genbench.nets.virtual_norm import VirtualBatchNorm

WIDEST = 8
"""Feature maps grow with every halving up to this many times the first number."""


def halvings(shape: tuple[int, ...]) -> int:
    """How often an image (C, H, W) is halved: 1 for 8×8, 2 for 28×28, 3 for 32×32.

    Raises:
        GenbenchError: an image with a side under 8 pixels.
    """
    side = min(shape[1:], default=0)
    if side < 8:
        size = "×".join(map(str, shape[1:])) or "points"
        raise GenbenchError(
            f"strided convolutions need images of at least 8×8 pixels, not {size}; use a fully "
            "connected model and critic"
        )
    return int(math.log2(side / 4))


def start(module: nn.Module) -> None:
    """The paper's start for one layer: weights N(0, 0.02²), scales of batch norm N(1, 0.02²)."""
    if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d | VirtualBatchNorm):
        nn.init.normal_(module.weight, 1.0, 0.02)


class Upsampler(nn.Module):
    """Codes (B, inputs) to images (B, *shape) by transposed convolutions, BN and ReLU.

    `channels` feature maps lie before the last layer, twice as many before each earlier one. The
    output is linear. In training, batch norm makes the images of a batch depend on one another;
    in evaluation mode it uses its running moments, and they do not; without `running` ones, as in
    a critic, which is shown several kinds of batch, they always do. With `reference` rows it is
    virtual batch norm, and images never depend on one another.
    """

    def __init__(
        self, inputs: int, shape: tuple[int, ...], channels: int, reference: int = 0,
        running: bool = True,
    ) -> None:
        super().__init__()

        def norm(maps: int) -> nn.Module:
            if reference:
                return VirtualBatchNorm(maps, reference)
            return nn.BatchNorm2d(maps, track_running_stats=running)

        times = halvings(shape)
        self.size = shape[1:]
        self.first = tuple(math.ceil(side / 2**times) for side in self.size)
        maps = [channels * min(2**i, WIDEST) for i in reversed(range(times))]
        self.project = nn.Linear(inputs, maps[0] * math.prod(self.first))
        layers: list[nn.Module] = [norm(maps[0]), nn.ReLU()]
        for here, after in pairwise(maps):
            # the bias would be cancelled by the batch norm that follows
            up = nn.ConvTranspose2d(here, after, 4, 2, 1, bias=False)
            layers += [up, norm(after), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.ConvTranspose2d(maps[-1], shape[0], 4, 2, 1))
        self.apply(start)

    def forward(self, z: Tensor) -> Tensor:
        """Codes (B, inputs) to images (B, C, H, W)."""
        maps = self.project(z).unflatten(1, (-1, *self.first))  # (B, maps, h, w)
        images = self.layers(maps)
        height, width = self.size
        top, left = (images.shape[2] - height) // 2, (images.shape[3] - width) // 2
        return images[:, :, top : top + height, left : left + width]


def downsampler(
    shape: tuple[int, ...], channels: int, norm: str, reference: int = 0,
) -> tuple[nn.Sequential, int]:
    """Images (B, *shape) to features (B, F) by strided convolutions, norm and leaky ReLU; and F.

    `norm` is "none", "batch" (the paper's; always over the batch at hand), "layer" (per example,
    as a gradient penalty needs it) or "virtual" (with so many reference rows); the first layer
    has none.
    """
    maps, size = shape[0], shape[1:]
    layers: list[nn.Module] = []
    for i in range(halvings(shape)):
        after = channels * min(2**i, WIDEST)
        size = tuple(side // 2 for side in size)
        layers.append(nn.Conv2d(maps, after, 4, 2, 1))
        layers += norm_layers(norm, after, size, reference) if i > 0 else []
        layers.append(nn.LeakyReLU(0.2))
        maps = after
    network = nn.Sequential(*layers, nn.Flatten())
    if norm in ("batch", "virtual"):
        network.apply(start)
    return network, maps * math.prod(size)
