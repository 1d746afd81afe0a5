"""What games of a critic against a model share: who plays, and what the critic is made of."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Literal, TypeVar

from torch import Tensor, nn

from genbench.errors import GenbenchError
from genbench.fields import Annotated, Count, NonNegative, OneOf, Own, Positive, Widths
from genbench.models.base import Model
from genbench.noise import Noise
from genbench.objectives._start import start_from_data
from genbench.objectives.base import Batch, Draw, Objective, Player
from genbench.objectives.gan.losses import LossPair, pair_of
from genbench.objectives.gan.penalties import PENALTIES, Penalty, clip_weights

__all__ = ["Fakes", "Game", "SlopedGame", "network_kind"]

Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class Fakes:
    """Samples x (B, *shape) with the labels that a conditional model was given, and codes."""

    x: Tensor
    labels: Tensor | None = None
    codes: Tensor | None = None


class Game(Objective):
    """A critic, which moves `critic_steps` times before each move of the model.

    All parameters of the objective are the critic's.
    """

    plays: ClassVar[tuple[str, ...]] = ("critic", "model")
    refuses: ClassVar[tuple[tuple[dict[str, object], str], ...]] = (
        ({"critic": "dcgan", "data": "points"}, "critic: dcgan is for images; use mlp or auto"),
    )

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
    critic_only: bool = False
    """Whether the critic trains alone, against a model that stands still."""

    @property
    def scores_data(self) -> bool:
        """Whether the critic scores data by themselves, without labels."""
        return True

    @property
    def limit(self) -> float | None:
        """The bound that the critic's weights are clipped to."""
        return None

    def bounded(self) -> Iterable[nn.Parameter]:
        """The weights that are clipped: the critic's own, not those of heads that read it."""
        return self.parameters()

    @property
    def probability(self) -> bool:
        """Whether the sigmoid of the score is a probability of being data."""
        return False

    @property
    def information(self) -> Callable[[Tensor, Tensor], Tensor] | None:
        """log Q(c ∣ x) + H(c), nats, (B,), of samples and their codes, where it reads codes."""
        return None

    def players(self, model: Model) -> Sequence[Player]:
        """The critic, `critic_steps` times, then the model unless it stands still."""
        critic = Player("critic", {"": list(self.parameters())}, self.critic_steps)
        return [critic] if self.critic_only else [critic, Player("model", model.groups())]

    def prepare(self, model: Model, draw: Draw, noise: Noise) -> None:
        """Let a model that starts from the data do so, once."""
        start_from_data(model, draw, noise)

    def kind_for(self, model: Model) -> str:
        """The critic's kind of network, "mlp" or "dcgan".

        Raises:
            GenbenchError: a model that learns nothing.
        """
        learns = any(parameter.requires_grad for parameter in model.parameters())
        if not learns and not self.critic_only:
            raise GenbenchError(
                f"{type(self).__name__}: {type(model).__name__} has no parameters to learn by "
                "gradients; critic_only: true trains a critic alone"
            )
        return network_kind(self.critic, model)

    def made_by(self, make: Callable[..., Network], model: Model, outputs: int) -> Network:
        """A critic with `outputs` features (or codes) by `make`, with the options of a critic.

        Raises:
            GenbenchError: a critic that is not for these data, or a model that learns nothing.
        """
        return make(
            self.kind_for(model), model.space.shape, outputs, widths=self.critic_widths,
            channels=self.critic_channels, activation=self.critic_activation,
        )

    def after_update(self, player: str, model: Model, batch: Batch, step: int) -> None:
        """Clip the critic's weights after its move, if they have a limit."""
        if player == "critic" and self.limit is not None:
            clip_weights(self.bounded(), self.limit)

    @abstractmethod
    def score(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        """The critic's score (a logit, or a Wasserstein potential) of each x (B, *shape), (B,)."""

    def score_under(self, model: Model, x: Tensor) -> Tensor:
        """The critic's score (B,) of each x (B, *shape), for a critic that sees no labels."""
        return self.score(x)


def network_kind(kind: str, model: Model) -> str:
    """What "auto" stands for: "dcgan" for images of a convolutional model, else "mlp"."""
    if kind != "auto":
        return kind
    parts = (nn.Conv2d, nn.ConvTranspose2d)
    convolutional = any(isinstance(module, parts) for module in model.modules())
    return "dcgan" if convolutional and model.space.kind == "images" else "mlp"


class SlopedGame(Game):
    """A game with a loss pair, and with something that holds the critic's slope."""

    refuses: ClassVar[tuple[tuple[dict[str, object], str], ...]] = (
        ({"penalty": {"without": "gradient"}, "penalty_at": {"but": None}},
         "penalty_at is for penalties on the gradient; leave it out"),
        ({"penalty": {"with": "points"}, "penalty_at": {"but": None}},
         "penalty_at is for penalties without points of their own; leave it out"),
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
    def regulariser(self) -> Penalty:
        """The penalty."""
        return PENALTIES[self.penalty]

    @property
    def term(self) -> str:
        """The name of the loss among the terms."""
        return self.loss_.rpartition(":")[2]

    @property
    def limit(self) -> float | None:
        """The bound that the critic's weights are clipped to."""
        return self.clip if self.regulariser.clips else None

    @property
    def probability(self) -> bool:
        """Whether the sigmoid of the score is a probability of being data."""
        return self.pair.probability
