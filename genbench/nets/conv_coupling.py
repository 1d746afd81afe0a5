"""A convolutional network for couplings of images: from one half of the pixels to the other.

Wenbo Gong, "Wasserstein Generative Adversarial Network", MPhil thesis, University of Cambridge,
2017, section 5.2: two fully connected layers (1000, 7·7·64), a 4×4 convolution with 64 feature
maps, batch norm and ReLU, and a 4×4 output convolution with one feature map. How 7×7 becomes half
of 28×28 is not specified. Here the halves are the even and the odd columns, grids of H × W/2, and
the convolutions are transposed: (H/4, W/4) → (H/2, W/2) with stride 2, → (H, W/2) with stride
(2, 1) and kernel 4×3.
"""

from collections.abc import Sequence
from functools import partial

from torch import Tensor, nn

from genbench.errors import GenbenchError
from genbench.nets.coupling import Network
from genbench.nets.data_norm import DataNorm
from genbench.nets.mlp import linear


class ConvNetwork(nn.Module):
    """One half of flattened images (…, B, H·W/2) to the shift of the other half, of that shape.

    In training, batch norm makes the density depend on the batch; with running statistics (see
    DataNorm) examples are independent and the density is exact. `stack` networks are evaluated
    together by grouped convolutions, on halves (stack, B, H·W/2).
    """

    def __init__(
        self, inputs: int, outputs: int, *, size: tuple[int, int], widths: Sequence[int],
        channels: int, stack: int = 0,
    ) -> None:
        super().__init__()
        height, width = size
        self.stack, self.maps = stack, channels
        self.small = (height // 4, width // 4)
        layers: list[nn.Module] = []
        for hidden in (*widths, channels * self.small[0] * self.small[1]):
            layers += [linear(inputs, hidden, stack), nn.ReLU()]
            inputs = hidden
        self.dense = nn.Sequential(*layers)
        groups = max(1, stack)
        maps = groups * channels
        self.convolutions = nn.Sequential(
            # the bias would be cancelled by the batch norm that follows
            nn.ConvTranspose2d(maps, maps, 4, 2, 1, groups=groups, bias=False),
            DataNorm(maps),
            nn.ReLU(),
            nn.ConvTranspose2d(maps, groups, (4, 3), (2, 1), 1, groups=groups),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Halves (…, B, H·W/2) to halves (…, B, H·W/2)."""
        # channels last in memory: the convolutions are 1.5 times as fast
        maps = self.dense(x).unflatten(-1, (*self.small, self.maps))  # (…, B, h, w, C)
        if self.stack:
            maps = maps.permute(1, 2, 3, 0, 4).flatten(3)  # (B, h, w, T·C)
        y = self.convolutions(maps.movedim(-1, 1)).flatten(2)  # (B, T or 1, H·W/2)
        return y.transpose(0, 1) if self.stack else y[:, 0]


def conv_network(
    shape: tuple[int, ...], widths: Sequence[int], channels: int, stack: int = 0
) -> Network:
    """Makes networks for the halves of images of shape (1, H, W), H and W multiples of 4.

    Raises:
        GenbenchError: other data.
    """
    if len(shape) != 3 or shape[0] != 1 or shape[1] % 4 or shape[2] % 4:
        size = "×".join(map(str, shape))
        raise GenbenchError(
            f"network: cnn is for grey images whose sides are multiples of 4, not {size}; use mlp"
        )
    return partial(
        ConvNetwork, size=(shape[1], shape[2]), widths=widths, channels=channels, stack=stack
    )
