"""An autoencoder as discriminator: the energy of an example is its reconstruction error."""

from torch import Tensor, nn

from genbench.nets.critic import Backbone, feature_trunk
from genbench.nets.dcgan import Upsampler
from genbench.nets.mlp import MLP


class EnergyNet(nn.Module):
    """An autoencoder of data (B, *shape), with latents (B, code).

    Raises:
        GenbenchError: a convolutional one for anything but images of at least 8×8.
    """

    def __init__(self, backbone: Backbone, code: int) -> None:
        super().__init__()
        trunk, features = feature_trunk(backbone)
        if backbone.kind == "dcgan":
            channels = backbone.channels
            self.up: nn.Module = Upsampler(code, backbone.shape, channels, running=False)
        else:
            dense = MLP(code, backbone.dims, backbone.widths[::-1], backbone.activation)
            self.up = nn.Sequential(dense, nn.Unflatten(1, backbone.shape))
        self.down = nn.Sequential(trunk, nn.Linear(features, code))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The latents (B, code) of x (B, *shape), and the reconstructions (B, *shape)."""
        codes = self.down(x)
        return codes, self.up(codes)
