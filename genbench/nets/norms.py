"""The normalisation layers of critics, by name."""

from torch import nn

from genbench.nets.virtual_norm import VirtualBatchNorm


def norm_layers(
    kind: str, channels: int, size: tuple[int, ...] = (), reference: int = 0
) -> list[nn.Module]:
    """The layer, in a list that is empty for "none".

    "batch" always uses the moments of the batch at hand, "layer" those of each example, "virtual"
    those of a reference batch of so many rows and of the example. `size` is that of images.
    """
    if kind == "batch":
        layer = nn.BatchNorm2d if size else nn.BatchNorm1d
        return [layer(channels, track_running_stats=False)]
    if kind == "layer":
        return [nn.LayerNorm([channels, *size])]
    return [VirtualBatchNorm(channels, reference)] if kind == "virtual" else []
