"""Auxiliary losses: what critic and generator are trained for beside real and fake."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from genbench.nets.critic import CriticOutput
from genbench.objectives.base import Batch, Model, Noise, Terms


@dataclass(frozen=True)
class Fakes:
    """Samples x (B, *shape) with the labels that a conditional model was given, or their codes."""

    x: Tensor
    labels: Tensor | None = None
    codes: Tensor | None = None


@dataclass(frozen=True)
class Round:
    """A batch of data and of samples, and the critic's output for both, in one player's update."""

    model: Model
    batch: Batch
    fakes: Fakes
    real: CriticOutput
    """In the generator's update the output for fakes, unless the loss or a trick compares both."""
    fake: CriticOutput
    noise: Noise


class AuxiliaryLoss(ABC):
    """What is added to the losses of an `AdversarialGame`: by a head of the critic, or a trick.

    Networks are made, and registered, by the objective: all of them are the critic's.
    """

    reads_codes: ClassVar[bool] = False
    """Whether it needs the codes of the samples."""
    compares: ClassVar[bool] = False
    """Whether it needs the critic's output for data in the generator's update too."""

    @abstractmethod
    def terms(self, player: str, played: Round) -> Terms:
        """What is added to the loss of "critic" or "model", by name."""

    def after_update(self, player: str, model: Model) -> None:  # noqa: B027 - few follow it
        """What follows a player's update."""

    def information(self) -> Callable[[Tensor, Tensor], Tensor] | None:
        """log Q(c ∣ x) + H(c), nats, (B,), of samples and their codes, where it reads codes."""
        return None
