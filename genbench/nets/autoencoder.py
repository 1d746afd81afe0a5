"""An autoencoder as discriminator: the energy of an example is its reconstruction error."""

import math
from collections.abc import Sequence

from torch import Tensor, nn

from genbench.nets.critic import dense_trunk
from genbench.nets.dcgan import Upsampler, downsampler
from genbench.nets.mlp import MLP


class EnergyNet(nn.Module):
    """An autoencoder of data (B, *shape) with latents (B, code); `kind` is "mlp" or "dcgan".

    Raises:
        GenbenchError: a convolutional one for anything but images of at least 8×8.
    """

    def __init__(
        self, kind: str, shape: tuple[int, ...], code: int, *, widths: Sequence[int],
        channels: int, activation: str,
    ) -> None:
        super().__init__()
        trunk: nn.Module
        if kind == "dcgan":
            trunk, features = downsampler(shape, channels, "none")
            self.up: nn.Module = Upsampler(code, shape, channels, running=False)
        else:
            dims = math.prod(shape)
            trunk, features = dense_trunk(dims, widths, "none", activation), widths[-1]
            dense = MLP(code, dims, widths[::-1], activation)
            self.up = nn.Sequential(dense, nn.Unflatten(1, shape))
        self.down = nn.Sequential(trunk, nn.Linear(features, code))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The latents (B, code) of x (B, *shape), and the reconstructions (B, *shape)."""
        codes = self.down(x)
        return codes, self.up(codes)
