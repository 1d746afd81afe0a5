"""Adversarial training: a critic learns to tell data from samples, the model to please it.

Ian Goodfellow et al.: Generative Adversarial Nets, 2014, https://arxiv.org/abs/1406.2661

Composed of named parts: the loss pair (`_gan_losses.py`), what holds the critic's slope
(`_penalties.py`, spectral normalisation), and the critic. With D(x) = sigmoid(c(x)):

    minimax         min_G max_D  E log D(x) + E log(1 − D(G(z)))
    non_saturating  D as above;  max_G  E log D(G(z))
    least_squares   min_c ½E(c(x) − 1)² + ½E c(G(z))²;  min_G ½E(c(G(z)) − 1)²
    wasserstein     min_G max_c  E c(x) − E c(G(z)),  ‖c‖_L ≤ K
    hinge           min_c E max(0, 1 − c(x)) + E max(0, 1 + c(G(z)));  max_G E c(G(z))

A class-conditional model has a class-conditional critic: both see the batch's labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from genbench.errors import GenbenchError
from genbench.fields import Count, NonNegative, Positive, Widths
from genbench.models._base import Model
from genbench.nets import spectral
from genbench.nets.critic import Critic, critic_network
from genbench.noise import Noise
from genbench.objectives._base import Batch, Draw, Objective, Player, Terms
from genbench.objectives._gan_losses import LOSSES
from genbench.objectives._penalties import (
    clip_weights,
    gradient_penalty,
    interpolate,
    slope_of,
)
from genbench.objectives._start import start_from_data

__all__ = ["Adversarial"]


class Adversarial(Objective):
    """A critic against the model; loss pair, penalty and critic are chosen by name."""

    plays: ClassVar[tuple[str, ...]] = ("critic", "model")
    cite: ClassVar[str] = """@inproceedings{goodfellow2014generative,
  title = {Generative Adversarial Nets},
  author = {Goodfellow, Ian and Pouget-Abadie, Jean and Mirza, Mehdi and Xu, Bing and
            Warde-Farley, David and Ozair, Sherjil and Courville, Aaron and Bengio, Yoshua},
  booktitle = {Advances in Neural Information Processing Systems},
  year = {2014},
  url = {https://arxiv.org/abs/1406.2661},
}"""

    loss_: Literal[
        "minimax", "non_saturating", "least_squares", "wasserstein", "hinge"
    ] = "non_saturating"
    """What critic and model minimise."""
    penalty: Literal["none", "clip", "gradient"] = "none"
    """What holds the critic's slope: weights clipped to ±clip after each of its moves, or a
    two-sided gradient penalty between each real and fake example."""
    penalty_weight: NonNegative = 10.0
    """λ of the gradient penalty."""
    clip: Positive = 0.01
    """Largest absolute weight of a clipped critic."""
    critic_steps: Count = 1
    """Moves of the critic for each of the model."""
    critic: Literal["auto", "mlp", "dcgan"] = "auto"
    """The critic's network; auto: convolutional if the model is (on images), else fully
    connected."""
    critic_widths: Widths = [128, 128, 128]
    """Widths of the hidden layers of a fully connected critic."""
    critic_activation: Literal["leaky_relu", "relu"] = "leaky_relu"
    """Activation of a fully connected critic; the leak is 0.2."""
    critic_channels: Count = 64
    """Feature maps of the first layer of a convolutional critic; each next has twice as many."""
    critic_norm: Literal["none", "batch", "layer"] = "none"
    """Normalisation in the critic, from its second layer on. Batch norm ties the examples of a
    batch together, so that it is refused with the gradient penalty, which is per example."""
    spectral: bool = False
    """Whether every weight of the critic is divided by its spectral norm."""
    condition: Literal["concatenate", "projection"] = "concatenate"
    """How the critic of a class-conditional model sees the label: one-hot beside the input, or as
    an inner product of an embedding with its last features."""

    drift: NonNegative = 0.0
    """Weight of E[c(x)²] over real examples, which keeps the critic's values near 0."""
    critic_only: bool = False
    """Whether the critic trains alone, against a model that stands still."""

    def build(self, model: Model) -> None:
        """Make the critic.

        Raises:
            GenbenchError: options that cannot go together, or a model that learns nothing.
        """
        self._refuse(model)
        space = model.space
        self.classes = space.classes if model.conditional else 0
        kind = self.critic
        if kind == "auto":
            parts = (nn.Conv2d, nn.ConvTranspose2d)
            convolutional = any(isinstance(module, parts) for module in model.modules())
            kind = "dcgan" if convolutional and space.kind == "images" else "mlp"
        self.network: nn.Module = critic_network(
            kind, space.shape, widths=self.critic_widths, channels=self.critic_channels,
            norm=self.critic_norm, activation=self.critic_activation, classes=self.classes,
            condition=self.condition,
        )
        if self.spectral:
            spectral.normalise(self.network)

    def _refuse(self, model: Model) -> None:
        learns = any(parameter.requires_grad for parameter in model.parameters())
        if not learns and not self.critic_only:
            name = type(model).__name__
            raise GenbenchError(
                f"adversarial: {name} has no parameters to learn by gradients; critic_only: true "
                "trains a critic alone"
            )
        if self.critic == "dcgan" and model.space.kind != "images":
            raise GenbenchError("adversarial: critic: dcgan is for images; use mlp or auto")
        if self.penalty == "gradient" and self.critic_norm == "batch":
            raise GenbenchError(
                "adversarial: penalty: gradient is per example, which batch norm is not; "
                "use critic_norm: layer or none"
            )
        if self.penalty == "clip" and self.spectral:
            raise GenbenchError(
                "adversarial: penalty: clip bounds weights that spectral: true rescales; "
                "use one of them"
            )

    def players(self, model: Model) -> Sequence[Player]:
        """The critic, `critic_steps` times, then the model unless it stands still."""
        critic = Player("critic", {"": list(self.network.parameters())}, self.critic_steps)
        return [critic] if self.critic_only else [critic, Player("model", model.groups())]

    def prepare(self, model: Model, draw: Draw, noise: Noise) -> None:
        """Let a model that starts from the data do so, once."""
        start_from_data(model, draw, noise)

    def loss(self, player: str, model: Model, batch: Batch, noise: Noise) -> Terms:
        """The player's part of the loss pair, and the critic's penalty where there is one.

        Raises:
            GenbenchError: a batch without labels for a class-conditional model.
        """
        labels = self._labels(batch)
        if player == "model":
            fake = model.generate(len(batch), noise, labels)
            return {self.loss_: LOSSES[self.loss_].model(self.score(fake, labels))}
        with torch.no_grad():
            fake = model.generate(len(batch), noise, labels)
        real_score, fake_score = self._scores(batch.x, fake, labels)
        terms: dict[str, Tensor] = {
            self.loss_: LOSSES[self.loss_].critic(real_score, fake_score)
        }
        if self.drift:
            terms["drift"] = self.drift * real_score.square().mean()
        if self.penalty == "gradient" and self.penalty_weight > 0:
            between = interpolate(batch.x, fake, noise.uniform("interpolate", len(batch)))
            terms["gradient_penalty"] = self.penalty_weight * gradient_penalty(
                self._slope(between, labels)
            )
        return terms

    def after_update(self, player: str, model: Model, batch: Batch, step: int) -> None:
        """Clip the critic's weights, or follow them with the power method, after its move."""
        if player != "critic":
            return
        if self.penalty == "clip":
            clip_weights(self.network.parameters(), self.clip)
        if self.spectral:
            spectral.iterate(self.network)

    def score(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        """The critic's score (a logit, or a Wasserstein potential) of each x (B, *shape), (B,)."""
        return self.network(x, labels)

    def score_under(self, model: Model, x: Tensor) -> Tensor:
        """The critic's score (B,) of each x (B, *shape), for a critic that sees no labels."""
        return self.score(x)

    def _scores(self, real: Tensor, fake: Tensor, labels: Tensor | None) -> tuple[Tensor, Tensor]:
        if self.critic_norm == "batch":
            # the moments of a batch of both kinds would tell which example is of which
            return self.score(real, labels), self.score(fake, labels)
        both = None if labels is None else torch.cat((labels, labels))
        real_score, fake_score = self.score(torch.cat((real, fake)), both).chunk(2)
        return real_score, fake_score

    def _slope(self, x: Tensor, labels: Tensor | None) -> Tensor:
        if isinstance(self.network, Critic) and self.network.piecewise_linear:
            return self.network.slope(x, labels)
        return slope_of(partial(self.score, labels=labels), x)

    def _labels(self, batch: Batch) -> Tensor | None:
        if not self.classes:
            return None
        if batch.labels is None:
            raise GenbenchError(
                "adversarial: a class-conditional model learns from labelled data; "
                "this batch has no labels"
            )
        return batch.labels
