"""A fully connected generator whose latent is extended by the class label.

Mehdi Mirza, Simon Osindero: Conditional Generative Adversarial Nets, 2014,
https://arxiv.org/abs/1411.1784

    x = G(z, y),  z ~ N(0, I),  y one-hot

Here both enter the first layer together; the paper gives each a layer of its own before that.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from torch import Tensor

from genbench.data.space import Space
from genbench.fields import Count, Widths
from genbench.models._base import Model
from genbench.models._implicit import classes_of, conditional_latent, squash
from genbench.nets.mlp import MLP
from genbench.noise import Noise

__all__ = ["ConditionalGenerator"]


class ConditionalGenerator(Model):
    """Fully connected class-conditional generator, for labelled points and images."""

    conditional: ClassVar[bool] = True
    cite: ClassVar[str] = """@misc{mirza2014conditional,
  title = {Conditional Generative Adversarial Nets},
  author = {Mirza, Mehdi and Osindero, Simon},
  year = {2014},
  eprint = {1411.1784},
  archivePrefix = {arXiv},
  url = {https://arxiv.org/abs/1411.1784},
}"""

    latent: Count = 16
    """Dimensions of the Gaussian latent, without the label."""
    widths: Widths = [256, 256]
    """Widths of the hidden layers."""
    activation: Literal["elu", "gelu", "leaky_relu", "relu", "silu", "tanh"] = "relu"
    """Between the layers."""

    def build(self, space: Space) -> None:
        """Make the network; its output lies on the data's range.

        Raises:
            GenbenchError: data without labels.
        """
        self.classes = classes_of(space, "conditional_generator")
        inputs = self.latent + self.classes
        self.network = MLP(inputs, space.dims, self.widths, self.activation)
        self.squash = squash(space)

    def generate(self, n: int, noise: Noise, labels: Tensor | None = None) -> Tensor:
        """`n` samples (n, *shape) of the classes `labels` (n,)."""
        code = conditional_latent(self, n, self.latent, noise, labels, self.classes)
        return self.squash(self.network(code)).unflatten(1, self.space.shape)
