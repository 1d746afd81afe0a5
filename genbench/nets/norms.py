"""Normalisation layers of critics, by name."""

from torch import nn

from genbench.nets.virtual_norm import VirtualBatchNorm


def norm_layers(
    kind: str, channels: int, size: tuple[int, ...] = (), reference: int = 0
) -> list[nn.Module]:
    """The layer as a list, empty for "none".

    "batch" always uses batch statistics, "layer" those of each example, "virtual" those of a
    reference batch of `reference` rows and the example. `size` is that of feature maps.
    """
    if kind == "batch":
        layer = nn.BatchNorm2d if size else nn.BatchNorm1d
        return [layer(channels, track_running_stats=False)]
    if kind == "layer":
        return [nn.LayerNorm([channels, *size])]
    return [VirtualBatchNorm(channels, reference)] if kind == "virtual" else []
