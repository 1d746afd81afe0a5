"""Critics: networks from data, and class labels if conditional, to a scalar score.

Conditioning on the label y:
- concatenate: y is one-hot and concatenated to the input, as entries of a vector or as feature
  maps. Mehdi Mirza, Simon Osindero: Conditional Generative Adversarial Nets, 2014,
  https://arxiv.org/abs/1411.1784
- projection: φ(x)·e(y) is added to the score. Takeru Miyato, Masanori Koyama: cGANs with
  Projection Discriminator, 2018, https://arxiv.org/abs/1802.05637
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from genbench.nets.dcgan import downsampler
from genbench.nets.labels import concat_labels
from genbench.nets.minibatch import MinibatchDeviation, MinibatchDiscrimination
from genbench.nets.mlp import StackedLinear, linear
from genbench.nets.norms import norm_layers
from genbench.nets.precision import to_float32
from genbench.nets.virtual_norm import WithReference


@dataclass(frozen=True)
class Backbone:
    """The architecture of a network of data, without its output layer."""

    kind: str
    """Fully connected ("mlp"), or convolutional ("dcgan") for images of at least 8×8."""
    shape: tuple[int, ...]
    """Of the data."""
    widths: Sequence[int]
    """Hidden widths of a fully connected network."""
    channels: int
    """Feature maps of the first layer of a convolutional network."""
    activation: str = "leaky_relu"
    """Activation of a fully connected network."""

    @property
    def dims(self) -> int:
        """The dimensions of the data."""
        return math.prod(self.shape)


class CriticOutput(NamedTuple):
    """A critic's output for a batch."""

    score: Tensor
    """(B,)."""
    features: Tensor
    """(B, F), of the trunk."""
    logits: Tensor
    """(B, outputs), of the head."""


class Critic(nn.Module):
    """A trunk of features φ(x) and a linear head, without a sigmoid.

    The input of a fully connected trunk (`dense`) is flattened. `batchwise` appends features of
    the whole batch. With `outputs` above 1 the head has a logit for each class, and the score is
    their log-sum-exp: the logit of real (any class) against fake, whose logit is 0.
    """

    def __init__(
        self, trunk: nn.Module, features: int, classes: int = 0, condition: str = "concatenate",
        *, dense: bool = False, batchwise: nn.Module | None = None, added: int = 0,
        outputs: int = 1,
    ) -> None:
        super().__init__()
        self.trunk, self.features, self.dense = trunk, features, dense
        self.batchwise = batchwise
        self.head = nn.Linear(features + added, outputs)
        self.planes = classes if condition == "concatenate" else 0
        self.embedding = (
            nn.Embedding(classes, features) if classes and condition == "projection" else None
        )
        if self.embedding is not None:  # with torch's N(0, 1), φ(x)·e(y) would dominate the score
            nn.init.normal_(self.embedding.weight, 0.0, 0.02)

    def forward(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        """The score (B,) of each x (B, *shape) with its label (B,), if the critic has classes."""
        return self.output(x, labels).score

    def output(self, x: Tensor, labels: Tensor | None = None) -> CriticOutput:
        """Scores, features and logits of x (B, *shape)."""
        features = self.trunk(self._inputs(x, labels))  # (B, F)
        extended = features if self.batchwise is None else self.batchwise(features)
        logits = to_float32(self.head(extended))
        score = logits.squeeze(1) if logits.shape[1] == 1 else torch.logsumexp(logits, 1)
        if self.embedding is not None and labels is not None:
            score = score + (self.embedding(labels) * features).sum(1)
        return CriticOutput(score, features, logits)

    def fill_reference(self, x: Tensor, labels: Tensor | None = None) -> None:
        """Keep x (R, *shape) with labels (R,) as the reference batch of virtual batch norm."""
        if isinstance(self.trunk, WithReference):
            self.trunk.fill(self._inputs(x, labels))

    def _inputs(self, x: Tensor, labels: Tensor | None) -> Tensor:
        x = x.flatten(1) if self.dense else x
        return x if not self.planes or labels is None else concat_labels(x, labels, self.planes)

    @property
    def piecewise_linear(self) -> bool:
        """Whether all layers are linear, ReLU or leaky ReLU, as `input_gradient` requires."""
        plain = self.batchwise is None and self.head.out_features == 1
        return plain and is_piecewise_linear(self.trunk)

    def input_gradient(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        """∇_x of the score of each x, (B, *shape), in closed form."""
        cotangent = self.head.weight.expand(len(x), -1)
        if self.embedding is not None and labels is not None:
            cotangent = cotangent + self.embedding(labels)
        gradient = trunk_vjp(self.trunk, self._inputs(x, labels), cotangent)
        return gradient[:, : x[0].numel() if self.dense else x.shape[1]].reshape(x.shape)


def is_piecewise_linear(trunk: nn.Module) -> bool:
    """Whether all layers of a network are linear, ReLU or leaky ReLU."""
    parts = (nn.Flatten, nn.Linear, StackedLinear, nn.ReLU, nn.LeakyReLU)
    return isinstance(trunk, nn.Sequential) and all(isinstance(part, parts) for part in trunk)


def trunk_vjp(trunk: nn.Module, x: Tensor, cotangent: Tensor) -> Tensor:
    """∇_x Σ cotangent · trunk(x), (B, *shape): a vector–Jacobian product, in closed form.

    `cotangent` (…, B, F) is the gradient with respect to the features. The trunk is piecewise
    linear, so that its Jacobian is the product of the layers' matrices, the rows of inactive units
    set to zero (or scaled by the leak): exact, and differentiable in the parameters without double
    backpropagation. A stack of networks takes x (T, B, D), cotangent (T, B, F).
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
                leak = layer.negative_slope if isinstance(layer, nn.LeakyReLU) else 0.0
                layers[-1] = layers[-1][0], (h > 0).to(h.dtype).clamp_(min=leak)
    for layer, active in reversed(layers):
        weight = layer.weight
        assert isinstance(weight, Tensor)
        matrix = weight.transpose(1, 2) if isinstance(layer, StackedLinear) else weight
        cotangent = (cotangent if active is None else cotangent * active) @ matrix
    return cotangent.reshape(x.shape)


def critic_network(
    backbone: Backbone, *, norm: str = "none", classes: int = 0, condition: str = "concatenate",
    reference: int = 0, similarities: int = 0, deviation: bool = False, outputs: int = 1,
) -> Critic:
    """A critic with this backbone.

    `classes` is 0 for an unconditional critic, `reference` the rows of virtual batch norm,
    `similarities` the features of minibatch discrimination.

    Raises:
        GenbenchError: a convolutional critic for anything but images of at least 8×8.
    """
    trunk: nn.Module
    dense = backbone.kind != "dcgan"
    shape = (backbone.dims,) if dense else backbone.shape
    if classes and condition == "concatenate":
        shape = (shape[0] + classes, *shape[1:])
    if dense:
        widths, activation = backbone.widths, backbone.activation
        trunk = dense_trunk(shape[0], widths, norm, activation, reference=reference)
        features = widths[-1]
    else:
        trunk, features = downsampler(shape, backbone.channels, norm, reference)
    if norm == "virtual":
        trunk = WithReference(trunk, shape, reference)
    batchwise: list[nn.Module] = []
    batchwise += [MinibatchDiscrimination(features, similarities)] if similarities else []
    batchwise += [MinibatchDeviation()] if deviation else []
    return Critic(
        trunk, features, classes, condition, dense=dense, outputs=outputs,
        added=similarities + deviation,
        batchwise=nn.Sequential(*batchwise) if batchwise else None,
    )


def feature_network(backbone: Backbone, outputs: int) -> nn.Sequential:
    """A network from data (B, *shape) to features (B, outputs), with a linear last layer.

    Raises:
        GenbenchError: convolutions for anything but images of at least 8×8.
    """
    trunk, features = feature_trunk(backbone)
    return nn.Sequential(trunk, nn.Linear(features, outputs))


def feature_trunk(backbone: Backbone) -> tuple[nn.Sequential, int]:
    """A network from data (B, *shape) to features (B, F), without normalisation; and F."""
    if backbone.kind == "dcgan":
        return downsampler(backbone.shape, backbone.channels, "none")
    widths = backbone.widths
    return dense_trunk(backbone.dims, widths, "none", backbone.activation), widths[-1]


def dense_trunk(
    inputs: int, widths: Sequence[int], norm: str, activation: str, stack: int = 0,
    reference: int = 0,
) -> nn.Sequential:
    """Data (B, …) to features (B, widths[-1]); no norm in the first layer, as in `downsampler`.

    With `stack`, that many networks side by side: data (stack, B, inputs).
    """
    layers: list[nn.Module] = [] if stack else [nn.Flatten()]
    for i, width in enumerate(widths):
        layers.append(linear(inputs, width, stack))
        layers += norm_layers(norm, width, reference=reference) if i > 0 else []
        layers.append(nn.LeakyReLU(0.2) if activation == "leaky_relu" else nn.ReLU())
        inputs = width
    return nn.Sequential(*layers)
