"""Shared by implicit models: networks, latents, and an output activation for the data's range."""

from torch import Tensor, nn

from genbench.errors import GenbenchError
from genbench.fields import ClassVar, Count, Literal, Widths
from genbench.models.base import Model, Noise, Space
from genbench.nets.critic import dense_trunk
from genbench.nets.dcgan import Upsampler, downsampler
from genbench.nets.labels import concat_labels
from genbench.nets.mlp import MLP


class ImplicitModel(Model):
    """An implicit model of fully connected or strided convolutional networks."""

    refuses: ClassVar[tuple[tuple[dict[str, object], str], ...]] = (
        ({"network": "dcgan", "data": "points"}, "network: dcgan is for images; use mlp"),
        ({"norm": "batch", "batch": 1}, "batch norm needs two examples in a batch at least"),
    )

    network: Literal["auto", "mlp", "dcgan"] = "mlp"
    """Fully connected, or strided convolutions (images of at least 8×8); auto: convolutions for
    images of at least 16×16, fully connected for smaller ones and for points."""
    widths: Widths = [256, 256]
    """Hidden widths of a fully connected decoder, and in reverse of an encoder."""
    norm: Literal["none", "batch"] = "none"
    """Normalisation between the layers of a fully connected decoder (strided convolutions always
    have batch norm): batch statistics in training, running statistics in evaluation."""
    channels: Count = 64
    """Feature maps of the convolutions at the highest resolution."""

    def is_convolutional(self, space: Space) -> bool:
        """Whether the networks for these data are convolutional."""
        if self.network == "auto":
            return space.kind == "images" and min(space.shape[1:]) >= 16
        return self.network == "dcgan"

    def make_decoder(self, latent: int, space: Space, activation: str = "relu") -> nn.Module:
        """A network from latents (B, latent) to data (B, *shape), on the data's range.

        `activation` is that of a fully connected network.

        Raises:
            GenbenchError: convolutions for anything but images of at least 8×8.
        """
        if self.is_convolutional(space):
            network = Upsampler(latent, space.shape, self.channels)
            return nn.Sequential(network, output_activation(space))
        dense = MLP(latent, space.dims, self.widths, activation, norm=self.norm == "batch")
        return nn.Sequential(dense, output_activation(space), nn.Unflatten(1, space.shape))

    def make_encoder(self, outputs: int, space: Space) -> nn.Module:
        """A network from data (B, *shape) to latents or their parameters (B, outputs).

        Raises:
            GenbenchError: convolutions for anything but images of at least 8×8.
        """
        trunk: nn.Module
        if self.is_convolutional(space):
            trunk, features = downsampler(space.shape, self.channels, "none")
        else:
            trunk = dense_trunk(space.dims, self.widths[::-1], "none", "relu")
            features = self.widths[0]
        return nn.Sequential(trunk, nn.Linear(features, outputs))


def output_activation(space: Space) -> nn.Module:
    """tanh for data on [−1, 1], a sigmoid on [0, 1], nothing where data are unbounded.

    Raises:
        GenbenchError: any other range.
    """
    if space.low is None and space.high is None:
        return nn.Identity()
    if (space.low, space.high) == (-1, 1):
        return nn.Tanh()
    if (space.low, space.high) == (0, 1):
        return nn.Sigmoid()
    raise GenbenchError(
        f"a generator's output is unbounded, or on [0, 1] or [-1, 1], not on "
        f"[{space.low}, {space.high}]; choose scale: symmetric or unit"
    )


def sample_latent(model: nn.Module, n: int, size: int, noise: Noise) -> Tensor:
    """Standard normal latents (n, size), of the dtype of the model's parameters."""
    return noise.normal("z", n, size).to(next(model.parameters()))


def num_classes(space: Space, name: str) -> int:
    """The number of classes of labelled data.

    Raises:
        GenbenchError: data without labels.
    """
    if space.classes < 1:
        raise GenbenchError(
            f"the model '{name}' is class-conditional and needs a dataset with labels; "
            f"for data without, use '{name.removeprefix('conditional_')}'"
        )
    return space.classes


def sample_conditional_latent(
    model: nn.Module, n: int, size: int, noise: Noise, labels: Tensor | None, classes: int,
) -> Tensor:
    """Standard normal latents, each with its one-hot label, (n, size + classes)."""
    assert labels is not None  # Model.check_context
    return concat_labels(sample_latent(model, n, size, noise), labels, classes)
