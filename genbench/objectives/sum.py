"""A weighted sum of objectives: players of one name merge, each term has a stream of its own."""

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext

import torch
from torch import Tensor, nn

from genbench.nets.running_stats import frozen_running_stats
from genbench.objectives.base import Batch, Draw, Model, Noise, Objective, Player, TrainedCritic


class WeightedSum(nn.Module):
    """The objective of one stage: Σ weight · objective.

    An objective of weight 0 is logged and not optimised: it is prepared on a copy of the model,
    has no `after_update`, and does not count for how often a player is updated.

    A player that several objectives share is updated as often as the one that asks most, and
    trains the union of their parameters.
    """

    def __init__(self, terms: Sequence[tuple[float, Objective]]) -> None:
        super().__init__()
        self.weights = [weight for weight, _ in terms]
        self.objectives = nn.ModuleList([objective for _, objective in terms])

    def players(self, model: Model) -> list[Player]:
        """The merged players, in the order in which objectives name them."""
        merged: dict[str, Player] = {}
        for weight, objective in self._each():
            for player in objective.players(model):
                known = merged.setdefault(player.name, Player(player.name))
                if weight != 0:
                    known.times = max(known.times, player.times)
                seen = {id(parameter) for parameter in known.parameters}
                for group, parameters in player.groups.items():
                    fresh = [p for p in parameters if id(p) not in seen]
                    known.groups.setdefault(group, []).extend(fresh)
        return list(merged.values())

    def prepare(self, model: Model, draw: Draw, noise: Noise) -> None:
        """Every objective's data-dependent start."""
        for index, (weight, objective) in enumerate(self._each()):
            started = model if weight != 0 else copy.deepcopy(model)
            objective.prepare(started, draw, noise.child(index))

    def begin(self, updates: int) -> None:
        """Let every objective begin a stage of so many updates."""
        for _, objective in self._each():
            objective.begin(updates)

    def loss(
        self, player: str, model: Model, batch: Batch, noise: Noise
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The weighted loss that the player minimises, and its unweighted terms by name."""
        total: Tensor | None = None
        named: dict[str, Tensor] = {}
        for index, (weight, objective) in enumerate(self._each()):
            if player not in objective.plays:
                continue
            with nullcontext() if weight != 0 else _untouched(model):
                terms = objective.loss(player, model, batch, noise.child(index))
            for name, term in terms.items():
                if weight != 0:
                    part = term if weight == 1 else weight * term
                    total = part if total is None else total + part
                named[f"{name}.{index}" if name in named else name] = term
        return (torch.zeros(()) if total is None else total), named

    def log(
        self, player: str, model: Model, batch: Batch, noise: Noise
    ) -> dict[str, Tensor]:
        """What the objectives of this player log beside their losses."""
        named: dict[str, Tensor] = {}
        for index, (_, objective) in enumerate(self._each()):
            if player in objective.plays:
                named.update(objective.log(player, model, batch, noise.child(index)))
        return named

    def after_update(self, player: str, model: Model, batch: Batch, step: int) -> None:
        """Every objective's control of this player, but of those of weight 0."""
        for weight, objective in self._each():
            if weight != 0 and player in objective.plays:
                objective.after_update(player, model, batch, step)

    def trained_critic(self, model: Model) -> tuple[TrainedCritic, Objective] | None:
        """The first critic of unlabelled data with its objective, whose weight is not 0."""
        for weight, objective in self._each():
            critic = objective.trained_critic(model) if weight != 0 else None
            if critic is not None:
                return critic, objective
        return None

    def _each(self) -> list[tuple[float, Objective]]:
        return list(zip(self.weights, self.objectives, strict=True))  # type: ignore[arg-type]


@contextmanager
def _untouched(model: Model) -> Iterator[None]:
    """Within, no gradients are recorded, and batch norm's running statistics are frozen."""
    with torch.no_grad(), frozen_running_stats(model):
        yield
