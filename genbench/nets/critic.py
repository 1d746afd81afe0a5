"""Critics: networks from data, and labels where there are any, to one number.

The label of a class-conditional critic enters in one of two ways:
- concatenate: one-hot, beside the input. Mehdi Mirza, Simon Osindero: Conditional Generative
  Adversarial Nets, 2014, https://arxiv.org/abs/1411.1784
- projection: φ(x)·e(y) is added to the output. Takeru Miyato, Masanori Koyama: cGANs with
  Projection Discriminator, 2018, https://arxiv.org/abs/1802.05637
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor, nn

from genbench.nets.dcgan import downsampler
from genbench.nets.labels import with_labels

__all__ = ["Critic", "critic_network"]


class Critic(nn.Module):
    """A trunk of features and a linear head; logits or scores, no sigmoid."""

    def __init__(
        self, trunk: nn.Module, features: int, classes: int = 0, condition: str = "concatenate",
    ) -> None:
        super().__init__()
        self.trunk = trunk
        self.head = nn.Linear(features, 1)
        self.planes = classes if condition == "concatenate" else 0
        self.embedding = (
            nn.Embedding(classes, features) if classes and condition == "projection" else None
        )

    def forward(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        """The score (B,) of each x (B, *shape) with its label (B,), if the critic has classes."""
        if self.planes and labels is not None:
            x = with_labels(x, labels, self.planes)
        features = self.trunk(x)  # (B, F)
        score = self.head(features).squeeze(1)
        if self.embedding is not None and labels is not None:
            score = score + (self.embedding(labels) * features).sum(1)
        return score


def critic_network(
    kind: str, shape: tuple[int, ...], *, widths: Sequence[int], channels: int, norm: str,
    classes: int = 0, condition: str = "concatenate",
) -> Critic:
    """A critic of data of this shape: `kind` is "mlp" or "dcgan".

    `classes` is 0 for a critic that sees no labels.

    Raises:
        GenbenchError: a convolutional critic of anything but images of at least 8×8.
    """
    if classes and condition == "concatenate":
        shape = (shape[0] + classes, *shape[1:])
    if kind == "dcgan":
        trunk, features = downsampler(shape, channels, norm)
    else:
        trunk, features = _dense(math.prod(shape), widths, norm), widths[-1]
    return Critic(trunk, features, classes, condition)


def _dense(inputs: int, widths: Sequence[int], norm: str) -> nn.Sequential:
    """Data (B, …) to features (B, widths[-1]); no norm in the first layer, as in `downsampler`."""
    layers: list[nn.Module] = [nn.Flatten()]
    for i, width in enumerate(widths):
        layers.append(nn.Linear(inputs, width))
        if norm == "batch" and i > 0:
            layers.append(nn.BatchNorm1d(width, track_running_stats=False))
        elif norm == "layer" and i > 0:
            layers.append(nn.LayerNorm(width))
        layers.append(nn.LeakyReLU(0.2))
        inputs = width
    return nn.Sequential(*layers)
