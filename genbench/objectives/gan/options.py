"""The options that adversarial objectives share: the critic, and how it is trained."""

from functools import cached_property
from typing import ClassVar, Literal

from genbench.configured import Options
from genbench.fields import (
    Annotated,
    Count,
    Natural,
    NonNegative,
    OneOf,
    Own,
    Positive,
    Share,
    Widths,
)
from genbench.objectives.gan.losses import LossPair, pair_of
from genbench.objectives.gan.penalties import PENALTIES, Regulariser


class CriticOptions(Options):
    """The critic's network, and how often it is updated."""

    refuses: ClassVar[tuple[tuple[dict[str, object], str], ...]] = (
        ({"critic": "dcgan", "data": "points"}, "critic: dcgan is for images; use mlp or auto"),
    )

    critic_steps: Count = 1
    """Critic updates per generator update (n_critic)."""
    critic: Literal["auto", "mlp", "dcgan"] = "auto"
    """The critic's network; auto: convolutional if the model is (on images), else fully
    connected."""
    critic_widths: Widths = [128, 128, 128]
    """Widths of the hidden layers of a fully connected critic."""
    critic_activation: Literal["leaky_relu", "relu"] = "leaky_relu"
    """Activation of a fully connected critic; the leak is 0.2."""
    critic_channels: Count = 64
    """Feature maps of the first layer of a convolutional critic; each next has twice as many."""
    critic_only: bool = False
    """Whether the critic trains alone, against a frozen model."""


class LossOptions(Options):
    """The loss pair, and what bounds the critic's Lipschitz constant."""

    refuses: ClassVar[tuple[tuple[dict[str, object], str], ...]] = (
        ({"penalty": {"without": "gradient"}, "penalty_at": {"but": None}},
         "penalty_at is for penalties on the gradient; leave it out"),
        ({"penalty": {"with": "points"}, "penalty_at": {"but": None}},
         "penalty_at is for penalties without points of their own; leave it out"),
        ({"penalty": {"without": "gradient"}, "penalty_weight": {"but": 10.0}},
         "penalty_weight is for penalties on the gradient; leave it out"),
        ({"penalty": {"without": "clips"}, "clip": {"but": 0.01}},
         "clip is for penalty: clip; leave it out"),
    )

    loss_: Annotated[str, OneOf("genbench.objectives.gan.losses:LOSSES")] | Own = "non_saturating"
    """What critic and generator minimise; or a pair of functions of one's own, each of real and
    fake scores."""
    penalty: Annotated[str, OneOf("genbench.objectives.gan.penalties:PENALTIES")] = "none"
    """What bounds the critic's Lipschitz constant: its weights clipped to ±clip after each of its
    updates; a two-sided gradient penalty between each real and fake example (gradient) or around
    real ones (dragan); or half the squared gradient norm at real examples (r1)."""
    penalty_at: Annotated[str, OneOf("genbench.objectives.gan.penalties:PLACES")] | None = None
    """Where the gradient is taken: between each real and fake example, at the real or at the fake
    ones. Null: interpolates for gradient, data for r1, which at fakes is R2."""
    penalty_weight: NonNegative = 10.0
    """λ of the gradient penalty."""
    clip: Positive = 0.01
    """Largest absolute weight of a clipped critic."""
    drift: NonNegative = 0.0
    """Weight of E[c(x)²] over real examples, which keeps the critic's values near 0."""

    @cached_property
    def pair(self) -> LossPair:
        """The loss pair."""
        return pair_of(self.loss_)

    @property
    def term(self) -> str:
        """The name of the loss among the terms."""
        return self.loss_.rpartition(":")[2]

    @property
    def regulariser(self) -> Regulariser:
        """The penalty, with its weight and place."""
        return Regulariser(PENALTIES[self.penalty], self.penalty_weight, self.penalty_at)

    @property
    def clip_limit(self) -> float | None:
        """The bound that the critic's weights are clipped to."""
        return self.clip if PENALTIES[self.penalty].clips else None


class TrickOptions(Options):
    """Normalisation and conditioning of the critic, and tricks of the trade."""

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
         "feature matching is in the model's loss, and critic_only: true freezes the model"),
        ({"critic_only": False, "model_gradient": True},
         "the gradient that a frozen model would get is logged: add critic_only: true"),
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
    """How the critic of a class-conditional model is conditioned on the label: one-hot,
    concatenated to the input, or by projection, the inner product of an embedding with its last
    features."""
    smooth_real: Share = 0.0
    """One-sided label smoothing: the target of real examples is 1 less this."""
    smooth_fake: Share = 0.0
    """The target of samples; above 0 smoothing is two-sided."""
    feature_matching: NonNegative = 0.0
    """Weight, in the generator's loss, of the squared distance between the mean last features of
    real examples and of samples."""
    minibatch_features: Natural = 0
    """Number of minibatch discrimination features, each a mean similarity to the batch."""
    minibatch_deviation: bool = False
    """Whether the critic has the minibatch standard deviation as a further feature."""
    instance_noise: NonNegative = 0.0
    """Standard deviation of Gaussian noise on the critic's inputs, on the scaled data."""
    instance_noise_share: Share = 0.0
    """The fraction of the stage over which the noise is annealed linearly to 0; 0: constant."""
    historical_averaging: NonNegative = 0.0
    """Weight, in both players' losses, of the squared distance of their parameters from the mean
    of these so far."""
    model_gradient: bool = False
    """Whether to log, at every update of a critic alone, the norm of the model's gradient."""
