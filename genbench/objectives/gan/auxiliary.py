"""Auxiliary losses beside real and fake, and the tricks that have a state or a formula.

- Feature matching and historical averaging: Salimans et al., 2016, arXiv:1606.03498
- Instance noise: Arjovsky, Bottou, 2017, arXiv:1701.04862; that it fades: Sønderby et al., 2017,
  arXiv:1610.04490
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

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


class FeatureMatching(AuxiliaryLoss):
    """λ ‖E f(G(z)) − E f(x)‖² of the critic's features f, for the generator."""

    compares = True

    def __init__(self, weight: float) -> None:
        self.weight = weight

    def terms(self, player: str, played: Round) -> Terms:
        if player == "critic":
            return {}
        difference = played.fake.features.mean(0) - played.real.features.mean(0)
        return {"feature_matching": self.weight * difference.square().sum()}


class InstanceNoise(nn.Module):
    """Adds N(0, σ²) to the critic's inputs, so that the supports of data and samples overlap.

    σ is annealed linearly to 0 over a fraction of the stage (0: constant).
    """

    def __init__(self, sigma: float, share: float) -> None:
        super().__init__()
        self.sigma, self.share, self.span = sigma, share, 0
        self.register_buffer("done", torch.zeros((), dtype=torch.int64))

    def forward(self, x: Tensor, noise: Noise) -> Tensor:
        """x (B, *shape) with noise, at the updates done so far."""
        if self.sigma == 0:
            return x
        left = x.new_ones(())
        if self.span:
            left = (1 - self.get_buffer("done").to(x) / self.span).clamp(min=0)
        return x + self.sigma * left * noise.normal("instance", *x.shape).to(x)

    def begin(self, updates: int) -> None:
        """Set the number of updates of the stage."""
        self.span = max(1, round(self.share * updates)) if self.share else 0

    def at(self, update: int) -> None:
        """Set the number of updates done."""
        if self.span:
            self.get_buffer("done").fill_(update)


class History(nn.Module):
    """The mean (1/t) Σ θ[i] of one player's parameters over its updates."""

    def __init__(self, parameters: Iterable[Tensor]) -> None:
        super().__init__()
        total = sum(parameter.numel() for parameter in parameters)
        self.register_buffer("mean", torch.zeros(total))
        self.register_buffer("moves", torch.zeros((), dtype=torch.int64))

    def distance(self, parameters: Iterable[Tensor]) -> Tensor:
        """‖θ − mean‖², a scalar; 0 before the first update."""
        flat = torch.cat([parameter.flatten() for parameter in parameters])
        begun = (self.get_buffer("moves") > 0).to(flat)
        return begun * (flat - self.get_buffer("mean").to(flat)).square().sum()

    @torch.no_grad()
    def update(self, parameters: Iterable[Tensor]) -> None:
        """Update the mean with the current parameters."""
        flat = torch.cat([parameter.flatten() for parameter in parameters])
        count = self.get_buffer("moves").add_(1)
        self.get_buffer("mean").lerp_(flat.to(self.get_buffer("mean")), 1.0 / count)


class HistoricalAveraging(AuxiliaryLoss):
    """λ ‖θ − mean‖² for both players, each of its own parameters."""

    def __init__(self, weight: float, critic: nn.Module, histories: Mapping[str, History]) -> None:
        self.weight, self.critic, self.histories = weight, critic, histories

    def terms(self, player: str, played: Round) -> Terms:
        distance = self.histories[player].distance(self._of(player, played.model))
        return {"history": self.weight * distance}

    def after_update(self, player: str, model: Model) -> None:
        self.histories[player].update(self._of(player, model))

    def _of(self, player: str, model: Model) -> list[nn.Parameter]:
        return list((self.critic if player == "critic" else model).parameters())
