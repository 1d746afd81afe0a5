"""Adversarial training: a critic learns to tell data from samples, the model to please it.

Ian Goodfellow et al.: Generative Adversarial Nets, 2014, https://arxiv.org/abs/1406.2661

Composed of named parts: the loss pair (`gan/losses.py`), Lipschitz regularisation of the critic
(`gan/penalties.py`, spectral normalisation), the critic, and tricks. With D(x) = sigmoid(c(x)):

    minimax         min_G max_D  E log D(x) + E log(1 − D(G(z)))
    non_saturating  D as above;  max_G  E log D(G(z))
    least_squares   min_c ½E(c(x) − 1)² + ½E c(G(z))²;  min_G ½E(c(G(z)) − 1)²
    wasserstein     min_G max_c  E c(x) − E c(G(z)),  ‖c‖_L ≤ K
    hinge           min_c E max(0, 1 − c(x)) + E max(0, 1 + c(G(z)));  max_G E c(G(z))

A class-conditional model has a class-conditional critic: both see the batch's labels.

The tricks: feature matching, minibatch discrimination, virtual batch norm, label smoothing and
historical averaging, Tim Salimans et al.: Improved Techniques for Training GANs, 2016,
https://arxiv.org/abs/1606.03498; minibatch deviation, Tero Karras et al.: Progressive Growing of
GANs, 2018, https://arxiv.org/abs/1710.10196; instance noise, Martin Arjovsky, Léon Bottou: Towards
Principled Methods for Training GANs, 2017, https://arxiv.org/abs/1701.04862.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from genbench.errors import GenbenchError
from genbench.fields import Count, Natural, NonNegative, Share
from genbench.models.base import Model
from genbench.nets import spectral
from genbench.nets.critic import Critic, Look, critic_network
from genbench.noise import Noise
from genbench.objectives.base import Batch, Draw, Terms
from genbench.objectives.gan.game import Fakes, SlopedGame
from genbench.objectives.gan.history import History
from genbench.objectives.gan.instance_noise import InstanceNoise
from genbench.objectives.gan.penalties import input_gradient

__all__ = ["Adversarial", "Fakes"]


class Adversarial(SlopedGame):
    """A critic against the model; loss pair, penalty, critic and tricks are chosen by name."""

    cite = "goodfellow2014generative"
    at_most_rows: ClassVar[tuple[str, ...]] = ("reference",)
    refuses: ClassVar[tuple[tuple[dict[str, object], str], ...]] = (
        ({"penalty": {"with": "gradient"}, "critic_norm": "batch"},
         "a penalty on the gradient is per example, which batch norm is not; use critic_norm: "
         "layer, virtual or none"),
        ({"penalty": {"with": "gradient"}, "minibatch_features": "> 0"},
         "a penalty on the gradient is per example, which minibatch discrimination is not; leave "
         "one of them out"),
        ({"penalty": {"with": "gradient"}, "minibatch_deviation": True},
         "a penalty on the gradient is per example, which the minibatch's deviation is not; leave "
         "one of them out"),
        ({"penalty": {"with": "clips"}, "spectral": True},
         "penalty: clip bounds weights that spectral: true rescales; use one of them"),
        ({"critic_norm": "batch", "critic": ("auto", "mlp"), "batch": 1},
         "batch norm needs two examples in a batch at least"),
        ({"loss": {"without": "targets"}, "smooth_real": "> 0"},
         "this loss gives the critic no targets to smooth; leave label smoothing out"),
        ({"loss": {"without": "targets"}, "smooth_fake": "> 0"},
         "this loss gives the critic no targets to smooth; leave label smoothing out"),
        ({"condition": "projection", "model.conditional": False},
         "there are no labels to condition on, which the model does not take; leave condition "
         "out"),
        ({"instance_noise": 0.0, "instance_noise_share": "> 0"}, "there is no noise to fade"),
        ({"critic_only": True, "feature_matching": "> 0"},
         "feature matching moves the model, which stands still with critic_only: true"),
        ({"critic_only": False, "model_gradient": True},
         "the gradient that a model would get is noted where it stands still: add critic_only: "
         "true"),
    )

    critic_norm: Literal["none", "batch", "layer", "virtual"] = "none"
    """Normalisation in the critic, from its second layer on. Batch norm ties the examples of a
    batch together, so that it is refused with penalties on the gradient; virtual batch norm uses a
    reference batch."""
    reference: Count = 64
    """Rows of training data in the reference batch of virtual batch norm."""
    spectral: bool = False
    """Whether every weight of the critic is divided by its spectral norm."""
    condition: Literal["concatenate", "projection"] = "concatenate"
    """How the critic of a class-conditional model sees the label: one-hot beside the input, or as
    an inner product of an embedding with its last features."""
    smooth_real: Share = 0.0
    """One-sided label smoothing: the target of real examples is 1 less this."""
    smooth_fake: Share = 0.0
    """The target of samples; above 0 smoothing is two-sided."""
    feature_matching: NonNegative = 0.0
    """Weight, in the model's loss, of the squared distance between the mean last features of real
    examples and of samples."""
    minibatch_features: Natural = 0
    """Similarities to the rest of the batch that the critic sees (minibatch discrimination), each
    a mean over the batch."""
    minibatch_deviation: bool = False
    """Whether the critic sees how much its features vary in the batch."""
    instance_noise: NonNegative = 0.0
    """Standard deviation of Gaussian noise on all that the critic sees, on the scaled data."""
    instance_noise_share: Share = 0.0
    """The part of the stage over which the noise falls linearly to 0; 0 keeps it."""
    historical_averaging: NonNegative = 0.0
    """Weight, in both players' losses, of the squared distance of their parameters from the mean
    of these so far."""
    model_gradient: bool = False
    """Whether to note, at every move of a critic alone, the norm of the model's gradient."""

    def build(self, model: Model) -> None:
        """Make the critic.

        Raises:
            GenbenchError: a critic that is not for these data, or a model that learns nothing.
        """
        kind = self.kind_for(model)
        self.classes = model.space.classes if model.conditional else 0
        self.network: Critic = critic_network(
            kind, model.space.shape, widths=self.critic_widths, channels=self.critic_channels,
            norm=self.critic_norm, activation=self.critic_activation,
            classes=self.classes_seen(model), condition=self.condition,
            reference=self.reference, similarities=self.minibatch_features,
            deviation=self.minibatch_deviation, outputs=self.outputs(model),
        )
        self.build_heads(model)
        if self.spectral:
            spectral.normalise(self.network)
        self.noised = InstanceNoise(self.instance_noise, self.instance_noise_share)
        if self.historical_averaging:
            self.critic_history = History(list(self.parameters()))
            self.model_history = History(list(model.parameters()))

    def build_heads(self, model: Model) -> None:
        """Make what a subclass adds to the critic, e.g. a head on `network.features`."""

    def classes_seen(self, model: Model) -> int:
        """The classes that the critic tells apart by the label that it is given."""
        return self.classes

    def outputs(self, model: Model) -> int:
        """How many logits the critic's head has."""
        return 1

    @property
    def scores_data(self) -> bool:
        """Whether the critic is not class-conditional."""
        return self.network.planes == 0 and self.network.embedding is None

    def bounded(self) -> Iterable[nn.Parameter]:
        """The weights that are clipped: the critic's, not those of heads on its features."""
        return self.network.parameters()

    def prepare(self, model: Model, draw: Draw, noise: Noise) -> None:
        """Draw the reference batch of virtual batch norm, and what the model starts from."""
        super().prepare(model, draw, noise)
        if self.critic_norm == "virtual":
            batch = draw(self.reference, noise.child("reference"))
            self.network.fill_reference(batch.x, self._labels(batch))

    def loss(self, player: str, model: Model, batch: Batch, noise: Noise) -> Terms:
        """The player's part of the loss pair, the critic's penalty, and the tricks' terms.

        Raises:
            GenbenchError: a batch without labels for a class-conditional model.
        """
        if player == "model":
            return self._model_terms(model, batch, noise)
        return self._critic_terms(model, batch, noise)

    def _model_terms(self, model: Model, batch: Batch, noise: Noise) -> Terms:
        fakes = self.draw_fakes(model, batch, noise)
        fake = self.look(fakes.x, fakes.labels, noise.child("fake"))
        real = fake
        if self.pair.relative or self.feature_matching:
            real = self.look(batch.x, self._labels(batch), noise.child("real"))
        terms: dict[str, Tensor] = {self.term: self.pair.model(real.score, fake.score)}
        if self.feature_matching:
            apart = (fake.features.mean(0) - real.features.mean(0)).square().sum()
            terms["feature_matching"] = self.feature_matching * apart
        if self.historical_averaging:
            distance = self.model_history.distance(model.parameters())
            terms["history"] = self.historical_averaging * distance
        return {**terms, **self.model_extras(model, batch, real, fake, fakes, noise)}

    def _critic_terms(self, model: Model, batch: Batch, noise: Noise) -> Terms:
        with torch.no_grad():
            fakes = self.draw_fakes(model, batch, noise)
        labels = self._labels(batch)
        x, samples = (
            self.noised(shown, noise.child(name))
            for shown, name in ((batch.x, "real"), (fakes.x, "fake"))
        )
        real, fake = self._both(x, labels, samples, fakes.labels)
        smoothed = {"high": 1 - self.smooth_real, "low": self.smooth_fake}
        targets = smoothed if self.smooth_real or self.smooth_fake else {}
        terms: dict[str, Tensor] = {
            self.term: self.pair.critic(real.score, fake.score, **targets)
        }
        if self.drift:
            terms["drift"] = self.drift * real.score.square().mean()
        if self.penalty_weight > 0:
            points = self.regulariser.points_of(x, samples, noise, self.penalty_at)
            found = self.regulariser.terms_of(
                partial(self._input_gradient, labels=labels), points, self.penalty_at
            )
            terms |= {name: self.penalty_weight * value for name, value in found.items()}
        if self.historical_averaging:
            distance = self.critic_history.distance(self.parameters())
            terms["history"] = self.historical_averaging * distance
        return {**terms, **self.critic_extras(model, batch, real, fake, fakes, noise)}

    def draw_fakes(self, model: Model, batch: Batch, noise: Noise) -> Fakes:
        """As many samples as the batch has rows, of its labels if the model is conditional."""
        labels = self._labels(batch)
        return Fakes(model.generate(len(batch), noise, labels), labels)

    def critic_extras(
        self, model: Model, batch: Batch, real: Look, fake: Look, fakes: Fakes, noise: Noise
    ) -> Terms:
        """What a subclass adds to the critic's loss."""
        return {}

    def model_extras(
        self, model: Model, batch: Batch, real: Look, fake: Look, fakes: Fakes, noise: Noise
    ) -> Terms:
        """What a subclass adds to the model's loss; `real` is there for losses relative to it."""
        return {}

    def begin(self, updates: int) -> None:
        """Let the noise fade over its share of the stage."""
        self.noised.begin(updates)

    def watch(self, player: str, model: Model, batch: Batch, noise: Noise) -> Terms:
        """The norm of the gradient that the model would get, where that is asked for."""
        if not self.model_gradient:
            return {}
        with torch.enable_grad():
            total = torch.stack(list(self._model_terms(model, batch, noise).values())).sum()
            parameters = [p for p in model.parameters() if p.requires_grad]
            # an encoder, or the weights of a mixture, have no part in what the critic sees
            slopes = torch.autograd.grad(total, parameters, allow_unused=True)
        squares = [slope.square().sum() for slope in slopes if slope is not None]
        return {"model_gradient": torch.stack(squares).sum().sqrt()}

    def after_update(self, player: str, model: Model, batch: Batch, step: int) -> None:
        """Clip the critic's weights or follow their spectral norms; count for the tricks."""
        super().after_update(player, model, batch, step)
        if player == "critic" and self.spectral:
            spectral.iterate(self.network)
        self.noised.at(step + 1 if player == "model" else step)
        if self.historical_averaging and player == "critic":
            self.critic_history.follow(self.parameters())
        elif self.historical_averaging:
            self.model_history.follow(model.parameters())

    def score(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        """The critic's score (a logit, or a Wasserstein potential) of each x (B, *shape), (B,)."""
        return self.network(x, labels)

    def look(self, x: Tensor, labels: Tensor | None, noise: Noise) -> Look:
        """What the critic makes of x (B, *shape) under instance noise, if there is any."""
        return self.network.look(self.noised(x, noise), labels)

    def _both(
        self, x: Tensor, labels: Tensor | None, fakes: Tensor, fake_labels: Tensor | None
    ) -> tuple[Look, Look]:
        ties = self.critic_norm == "batch" or self.minibatch_features or self.minibatch_deviation
        if ties:
            # in a batch of both kinds what ties examples together would tell which is of which
            return self.network.look(x, labels), self.network.look(fakes, fake_labels)
        known = labels is not None and fake_labels is not None
        both = torch.cat((labels, fake_labels)) if known else None  # type: ignore[arg-type]
        halves = [part.split(len(x)) for part in self.network.look(torch.cat((x, fakes)), both)]
        return Look(*(half[0] for half in halves)), Look(*(half[1] for half in halves))

    def _input_gradient(self, x: Tensor, labels: Tensor | None) -> Tensor:
        if self.network.piecewise_linear:
            return self.network.slope(x, labels)
        return input_gradient(partial(self.score, labels=labels), x)

    def _labels(self, batch: Batch) -> Tensor | None:
        if self.classes and batch.labels is None:
            raise GenbenchError(
                "adversarial: a class-conditional model learns from labelled data; "
                "this batch has no labels"
            )
        return batch.labels if self.classes else None
