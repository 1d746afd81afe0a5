"""What implicit models share: networks, a latent draw, and an output on the data's range."""

from torch import Tensor, nn

from genbench.errors import GenbenchError
from genbench.fields import ClassVar, Count, Literal, Widths
from genbench.models.base import Model, Noise, Space
from genbench.nets.critic import dense_trunk
from genbench.nets.dcgan import Upsampler, downsampler
from genbench.nets.labels import with_labels
from genbench.nets.mlp import MLP


class EitherNetwork(Model):
    """An implicit model of fully connected or of strided convolutional networks."""

    refuses: ClassVar[tuple[tuple[dict[str, object], str], ...]] = (
        ({"network": "dcgan", "data": "points"}, "network: dcgan is for images; use mlp"),
        ({"norm": "batch", "batch": 1}, "batch norm needs two examples in a batch at least"),
    )

    network: Literal["auto", "mlp", "dcgan"] = "mlp"
    """Fully connected, or strided convolutions (images of at least 8×8); auto: convolutions for
    images of at least 16×16, and fully connected for what is smaller and for points."""
    widths: Widths = [256, 256]
    """Hidden widths of a fully connected decoder, and in reverse of an encoder."""
    norm: Literal["none", "batch"] = "none"
    """Normalisation between the layers of a fully connected decoder (strided convolutions always
    have batch norm); it uses the batch in training and its running moments in evaluation."""
    channels: Count = 64
    """Feature maps at the images' end of convolutions."""

    def convolves(self, space: Space) -> bool:
        """Whether the networks of these data are convolutional."""
        if self.network == "auto":
            return space.kind == "images" and min(space.shape[1:]) >= 16
        return self.network == "dcgan"

    def decoder_of(self, codes: int, space: Space, activation: str = "relu") -> nn.Module:
        """A network of codes (B, codes) to data (B, *shape), on the data's range.

        `activation` is that of a fully connected one.

        Raises:
            GenbenchError: convolutions for anything but images of at least 8×8.
        """
        if self.convolves(space):
            network = Upsampler(codes, space.shape, self.channels)
            return nn.Sequential(network, output_activation(space))
        dense = MLP(codes, space.dims, self.widths, activation, norm=self.norm == "batch")
        return nn.Sequential(dense, output_activation(space), nn.Unflatten(1, space.shape))

    def encoder_to(self, codes: int, space: Space) -> nn.Module:
        """A network of data (B, *shape) to codes (B, codes).

        Raises:
            GenbenchError: convolutions for anything but images of at least 8×8.
        """
        trunk: nn.Module
        if self.convolves(space):
            trunk, features = downsampler(space.shape, self.channels, "none")
        else:
            trunk = dense_trunk(space.dims, self.widths[::-1], "none", "relu")
            features = self.widths[0]
        return nn.Sequential(trunk, nn.Linear(features, codes))


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


def latent(model: nn.Module, n: int, size: int, noise: Noise) -> Tensor:
    """Standard normal latents (n, size) of the type of the model's parameters."""
    return noise.normal("z", n, size).to(next(model.parameters()))


def classes_of(space: Space, name: str) -> int:
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


def conditional_latent(
    model: nn.Module, n: int, size: int, noise: Noise, labels: Tensor | None, classes: int,
) -> Tensor:
    """Latents with a one-hot label beside them, (n, size + classes)."""
    assert labels is not None  # Model.check_context
    return with_labels(latent(model, n, size, noise), labels, classes)
