"""The contract of an objective: pure losses, and the players that minimise them."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, cast, get_args

from torch import Tensor, nn
from typing_extensions import TypeVar, get_original_bases

from genbench import lookup
from genbench.configured import Configured
from genbench.errors import GenbenchError
from genbench.lookup import capability_words
from genbench.models.base import DataInitialisation, Model
from genbench.noise import Noise

__all__ = [
    "Batch", "Draw", "Model", "Noise", "Objective", "Player", "Terms", "TrainedCritic",
    "samples_like",
]

M = TypeVar("M", bound=Model, default=Any)
"""The model as an objective asks for it."""
Terms = Mapping[str, Tensor]
"""Named scalar terms; their sum is minimised."""


@dataclass(frozen=True)
class Batch:
    """Scaled training data x (B, *shape) and, where there are labels, (B,) int64."""

    x: Tensor
    labels: Tensor | None = None

    def __len__(self) -> int:
        return len(self.x)


def samples_like(batch: Batch, model: Model, noise: Noise) -> Tensor:
    """As many samples (B, *shape) as the batch has rows, of its labels if the model takes any."""
    return model.generate(len(batch), noise, batch.labels if model.conditional else None)


def first_of_each_class(batch: Batch) -> Tensor:
    """The first example of each class, (K, *shape).

    Raises:
        GenbenchError: data without labels.
    """
    if batch.labels is None:
        raise GenbenchError("one example of each class: the dataset has no labels")
    first = {label: row for row, label in reversed(list(enumerate(batch.labels.tolist())))}
    return batch.x[[first[label] for label in sorted(first)]]


Draw = Callable[[int, Noise], Batch]
"""Random scaled training data: draw(n, noise)."""


@dataclass
class Player:
    """One side of the training game.

    `groups` are its parameters by the name of the group; the group '' is the rest, and a group
    named g may be given a rate of its own as `optimisers: {"<player>.<g>": …}`.
    """

    name: str
    groups: dict[str, list[nn.Parameter]] = field(default_factory=dict)
    times: int = 1
    """Its updates per update of the whole objective, as a critic's n_critic."""

    @property
    def parameters(self) -> list[nn.Parameter]:
        """Every parameter that the player trains."""
        return [parameter for group in self.groups.values() for parameter in group]


@dataclass(frozen=True)
class TrainedCritic:
    """What a critic says of unlabelled data, for evaluation."""

    score: Callable[[Tensor], Tensor]
    """The score (B,) of scaled data (B, *shape)."""
    limit: float | None = None
    """The bound that its weights were clipped to."""
    probability: bool = False
    """Whether the sigmoid of the score is the probability of being data."""
    information: Callable[[Tensor, Tensor], Tensor] | None = None
    """log Q(c ∣ x) + H(c), nats, (B,), of scaled samples and their codes, where it reads codes."""


class Objective(nn.Module, Configured, ABC, Generic[M]):
    """A way to learn a model: pure losses of (parameters, batch, noise).

    What the model must be able to do is its argument: `class Likelihood(Objective[Density])`.

    Networks of its own (a critic) are made in `build`, which the harness calls once, seeded.

    Class constants, read without importing:
        requires: the capabilities that the model must have besides the class's argument (keys of
            `lookup.CAPABILITIES`).
        plays: the names of the players.
        critic_groups: the names of the groups of the other players' parameters, but ''.
        labelled: whether the dataset must have labels.
        ignores_labels: whether it compares samples with data whatever their labels are, and so
            teaches a class-conditional model nothing about them.
        at_most_rows: options that count training rows, of which there must be as many.
        refuses: options that cannot go together, with the reason (see `lookup.refusals`);
            a subclass adds to those that it inherits.
        version: raised whenever its results, or the meaning of a default, change: such runs are
            others.
        changed: version → the options for which it changed results (in the words of `refuses`;
            also "data", "precision", "model" and "conditional"); for all where it is not there.
        formerly: options that came later → the values that runs before them amount to.
        retired: options that are gone → the values with which they did nothing.
        aliases: former names of options → the options.
        cite: keys of references.bib, or BibTeX entries.
    """

    component_kind: ClassVar[str] = "objective"
    requires: ClassVar[tuple[str, ...]] = ()
    plays: ClassVar[tuple[str, ...]] = ("model",)
    critic_groups: ClassVar[tuple[str, ...]] = ()
    labelled: ClassVar[bool] = False
    ignores_labels: ClassVar[bool] = False
    at_most_rows: ClassVar[tuple[str, ...]] = ()
    refuses: ClassVar[tuple[tuple[dict[str, object], str], ...]] = ()
    version: ClassVar[int] = 1
    changed: ClassVar[Mapping[int, Mapping[str, object]]] = {}
    formerly: ClassVar[Mapping[str, object]] = {}
    retired: ClassVar[Mapping[str, object]] = {}
    aliases: ClassVar[Mapping[str, str]] = {}
    cite: ClassVar[str] = ""

    def __init__(self, model: Model, **options: object) -> None:
        super().__init__()
        self.configure(options)
        self._check_capabilities(model)
        about = lookup.facts(lookup.of_class("model", type(model)), model.options())
        kind = model.space.kind
        for given in ({"data": kind}, {"model": about}, {"data": kind, "model": about}):
            self.refuse(**given)
        self.build(cast(M, model))

    def _check_capabilities(self, model: Model) -> None:
        """Refuse a model that cannot do what the class's argument says.

        Raises:
            GenbenchError: what it cannot do.
        """
        for parent in (one for cls in type(self).__mro__ for one in get_original_bases(cls)):
            for asked in get_args(parent):
                if isinstance(asked, type) and not isinstance(model, asked):
                    words = capability_words(asked.__name__, asked.__doc__)
                    raise GenbenchError(
                        f"{type(self).__name__} needs a model with {words}, and "
                        f"{type(model).__name__} has none"
                    )

    def build(self, model: M) -> None:
        """Make the objective's own networks for this model (not its optimisers).

        Raises:
            GenbenchError: the objective is not for this model (a critic for one without
                parameters), or its networks are not for the data.
        """

    def players(self, model: M) -> Sequence[Player]:
        """The players in the order of their optimiser steps; by default the model alone."""
        return [Player("model", model.groups())]

    def prepare(self, model: M, draw: Draw, noise: Noise) -> None:
        """A data-dependent start, before the first update of the stage."""

    def initialise(self, model: M, draw: Draw, noise: Noise, points: int = 2000) -> None:
        """Let a model that has `initialise` place itself on that many data; it does so once."""
        if isinstance(model, DataInitialisation):
            batch = draw(points, noise.child("data"))
            alone = getattr(model, "one_of_each_class", False)
            model.initialise(first_of_each_class(batch) if alone else batch.x, noise)

    def begin(self, updates: int) -> None:
        """Called with the number of updates, before a stage is trained or resumed."""

    @abstractmethod
    def loss(self, player: str, model: M, batch: Batch, noise: Noise) -> Terms:
        """The player's named loss terms, scalars; a pure function that draws from `noise`."""

    def log(self, player: str, model: M, batch: Batch, noise: Noise) -> Terms:
        """Extra scalars to log in a player's update (BEGAN's k); they are not optimised."""
        return {}

    def after_update(self, player: str, model: M, batch: Batch, step: int) -> None:
        """What follows a player's update: clipping, control variables."""

    def trained_critic(self, model: Model) -> TrainedCritic | None:
        """The critic that the model was trained against, where it scores unlabelled data."""
        return None
