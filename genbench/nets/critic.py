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

import torch
from torch import Tensor, nn

from genbench.nets.dcgan import downsampler
from genbench.nets.labels import with_labels
from genbench.nets.mlp import StackedLinear, linear

__all__ = ["Critic", "critic_network", "dense_trunk", "is_piecewise_linear", "slope_below"]


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

    @property
    def piecewise_linear(self) -> bool:
        """Whether `slope` applies: linear layers and rectifiers, nothing else."""
        return is_piecewise_linear(self.trunk)

    def slope(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        """The gradient (B, *shape) of the score of each x, in closed form."""
        given = x if not self.planes or labels is None else with_labels(x, labels, self.planes)
        above = self.head.weight.expand(len(x), -1)
        if self.embedding is not None and labels is not None:
            above = above + self.embedding(labels)
        return slope_below(self.trunk, given, above)[:, : x.shape[1]]


def is_piecewise_linear(trunk: nn.Module) -> bool:
    """Whether a network is made of linear layers and rectifiers, nothing else."""
    parts = (nn.Flatten, nn.Linear, StackedLinear, nn.ReLU, nn.LeakyReLU)
    return isinstance(trunk, nn.Sequential) and all(isinstance(part, parts) for part in trunk)


def slope_below(trunk: nn.Module, x: Tensor, above: Tensor) -> Tensor:
    """The gradient in x (B, *shape) of Σ above · trunk(x), where the trunk is piecewise linear.

    `above` (…, B, F) is what stands over the features. The gradient is a product of the layers'
    matrices in which a rectifier that is off takes its row out (or makes it small): the exact
    derivative, differentiable in the parameters without differentiating twice. A stack of
    networks takes x (T, B, D) and above (T, B, F).
    """
    assert isinstance(trunk, nn.Sequential)
    layers: list[tuple[nn.Module, Tensor | None]] = []
    with torch.no_grad():
        h = x
        for layer in trunk:
            h = layer(h)
            if isinstance(layer, nn.Linear | StackedLinear):
                layers.append((layer, None))
            elif not isinstance(layer, nn.Flatten):
                least = layer.negative_slope if isinstance(layer, nn.LeakyReLU) else 0.0
                layers[-1] = layers[-1][0], (h > 0).to(h.dtype).clamp_(min=least)
    for layer, passed in reversed(layers):
        weight = layer.weight
        assert isinstance(weight, Tensor)
        matrix = weight.transpose(1, 2) if isinstance(layer, StackedLinear) else weight
        above = (above if passed is None else above * passed) @ matrix
    return above.reshape(x.shape)


def critic_network(
    kind: str, shape: tuple[int, ...], *, widths: Sequence[int], channels: int, norm: str,
    activation: str = "leaky_relu", classes: int = 0, condition: str = "concatenate",
) -> Critic:
    """A critic of data of this shape: `kind` is "mlp" or "dcgan".

    `classes` is 0 for a critic that sees no labels; `activation` is of a fully connected one.

    Raises:
        GenbenchError: a convolutional critic of anything but images of at least 8×8.
    """
    if classes and condition == "concatenate":
        shape = (shape[0] + classes, *shape[1:])
    if kind == "dcgan":
        trunk, features = downsampler(shape, channels, norm)
    else:
        trunk, features = dense_trunk(math.prod(shape), widths, norm, activation), widths[-1]
    return Critic(trunk, features, classes, condition)


def dense_trunk(
    inputs: int, widths: Sequence[int], norm: str, activation: str, stack: int = 0
) -> nn.Sequential:
    """Data (B, …) to features (B, widths[-1]); no norm in the first layer, as in `downsampler`.

    With `stack`, that many networks side by side: data (stack, B, inputs).
    """
    layers: list[nn.Module] = [] if stack else [nn.Flatten()]
    for i, width in enumerate(widths):
        layers.append(linear(inputs, width, stack))
        if norm == "batch" and i > 0:
            layers.append(nn.BatchNorm1d(width, track_running_stats=False))
        elif norm == "layer" and i > 0:
            layers.append(nn.LayerNorm(width))
        layers.append(nn.LeakyReLU(0.2) if activation == "leaky_relu" else nn.ReLU())
        inputs = width
    return nn.Sequential(*layers)
