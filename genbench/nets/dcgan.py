"""The strided convolutional networks of DCGAN, up and down.

Alec Radford, Luke Metz, Soumith Chintala: Unsupervised Representation Learning with Deep
Convolutional Generative Adversarial Networks, 2016, https://arxiv.org/abs/1511.06434

Kernels are 4×4 with stride 2 and padding 1, as in most implementations (the paper: 5×5). Images of
at least 8×8 pixels are downsampled until the shorter side has 4 to 7 pixels.
"""

import math
from itertools import pairwise

from torch import Tensor, nn

from genbench.errors import GenbenchError
from genbench.nets.norms import norm_layers
from genbench.nets.virtual_norm import VirtualBatchNorm

_MAX_MULTIPLIER = 8
"""Feature maps double with every downsampling, up to this multiple of the first number."""


def num_downsamplings(shape: tuple[int, ...]) -> int:
    """How often an image (C, H, W) is downsampled: 1 for 8×8, 2 for 28×28, 3 for 32×32.

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


def init_weights(module: nn.Module) -> None:
    """The paper's initialisation: weights N(0, 0.02²), scales of batch norm N(1, 0.02²)."""
    if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d | VirtualBatchNorm):
        nn.init.normal_(module.weight, 1.0, 0.02)


class Upsampler(nn.Module):
    """Latents (B, inputs) to images (B, *shape) by transposed convolutions, BN and ReLU.

    The last hidden layer has `channels` feature maps, each earlier one twice as many. The output
    is linear. Batch norm uses batch statistics in training and running statistics in evaluation;
    with `running` false, as in a critic, which is given real and fake batches, it always uses
    batch statistics. With `reference` rows it is virtual batch norm.
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

        times = num_downsamplings(shape)
        self.size = shape[1:]
        self.coarsest = tuple(math.ceil(side / 2**times) for side in self.size)
        maps = [channels * min(2**i, _MAX_MULTIPLIER) for i in reversed(range(times))]
        self.project = nn.Linear(inputs, maps[0] * math.prod(self.coarsest))
        layers: list[nn.Module] = [norm(maps[0]), nn.ReLU()]
        for before, after in pairwise(maps):
            # the bias would be cancelled by the batch norm that follows
            up = nn.ConvTranspose2d(before, after, 4, 2, 1, bias=False)
            layers += [up, norm(after), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.ConvTranspose2d(maps[-1], shape[0], 4, 2, 1))
        self.apply(init_weights)

    def forward(self, z: Tensor) -> Tensor:
        """Images (B, C, H, W) of latents z (B, inputs)."""
        maps = self.project(z).unflatten(1, (-1, *self.coarsest))  # (B, maps, h, w)
        images = self.layers(maps)
        height, width = self.size
        top, left = (images.shape[2] - height) // 2, (images.shape[3] - width) // 2
        return images[:, :, top : top + height, left : left + width]


def downsampler(
    shape: tuple[int, ...], channels: int, norm: str, reference: int = 0,
) -> tuple[nn.Sequential, int]:
    """Strided convolutions with leaky ReLU, from images (B, *shape) to features (B, F); and F.

    `norm`, from the second layer on: "none", "batch" (the paper's; always with batch statistics),
    "layer" (per example, as gradient penalties require) or "virtual" (with `reference` rows).
    """
    maps, size = shape[0], shape[1:]
    layers: list[nn.Module] = []
    for i in range(num_downsamplings(shape)):
        after = channels * min(2**i, _MAX_MULTIPLIER)
        size = tuple(side // 2 for side in size)
        layers.append(nn.Conv2d(maps, after, 4, 2, 1))
        layers += norm_layers(norm, after, size, reference) if i > 0 else []
        layers.append(nn.LeakyReLU(0.2))
        maps = after
    network = nn.Sequential(*layers, nn.Flatten())
    if norm in ("batch", "virtual"):
        network.apply(init_weights)
    return network, maps * math.prod(size)
