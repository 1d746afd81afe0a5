"""A weighted sum of objectives: players of one name merge, each term has a stream of its own."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from genbench.models._base import Model
from genbench.noise import Noise
from genbench.objectives._base import Batch, Draw, Objective, Player

__all__ = ["WeightedSum"]


class WeightedSum(nn.Module):
    """The objective of one stage: Σ weight · objective.

    An objective of weight 0 is watched: its terms are noted, and nothing is trained by them.

    A player that several objectives share moves as often as the one that asks most, and trains
    the union of their parameters.
    """

    def __init__(self, terms: Sequence[tuple[float, Objective]]) -> None:
        super().__init__()
        self.weights = [weight for weight, _ in terms]
        self.objectives = nn.ModuleList([objective for _, objective in terms])

    def players(self, model: Model) -> list[Player]:
        """The merged players, in the order in which objectives name them."""
        merged: dict[str, Player] = {}
        for objective in self._each():
            for player in objective.players(model):
                known = merged.setdefault(player.name, Player(player.name, {}, player.times))
                known.times = max(known.times, player.times)
                seen = {id(parameter) for parameter in known.parameters}
                for group, parameters in player.groups.items():
                    fresh = [p for p in parameters if id(p) not in seen]
                    known.groups.setdefault(group, []).extend(fresh)
        return list(merged.values())

    def prepare(self, model: Model, draw: Draw, noise: Noise) -> None:
        """Every objective's data-dependent start."""
        for index, objective in enumerate(self._each()):
            objective.prepare(model, draw, noise.child(index))

    def loss(
        self, player: str, model: Model, batch: Batch, noise: Noise
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The weighted loss that the player minimises, and its unweighted terms by name."""
        total: Tensor | None = None
        named: dict[str, Tensor] = {}
        for index, (weight, objective) in enumerate(zip(self.weights, self._each(), strict=True)):
            if player not in objective.plays:
                continue
            with torch.set_grad_enabled(weight != 0 and torch.is_grad_enabled()):
                terms = objective.loss(player, model, batch, noise.child(index))
            for name, term in terms.items():
                if weight != 0:
                    part = term if weight == 1 else weight * term
                    total = part if total is None else total + part
                named[f"{name}.{index}" if name in named else name] = term
        return (torch.zeros(()) if total is None else total), named

    def watch(
        self, player: str, model: Model, batch: Batch, noise: Noise
    ) -> dict[str, Tensor]:
        """What the objectives of this player note beside their losses."""
        named: dict[str, Tensor] = {}
        for index, objective in enumerate(self._each()):
            if player in objective.plays:
                named.update(objective.watch(player, model, batch, noise.child(index)))
        return named

    def after_update(self, player: str, model: Model, batch: Batch, step: int) -> None:
        """Every objective's control of this player."""
        for objective in self._each():
            if player in objective.plays:
                objective.after_update(player, model, batch, step)

    def _each(self) -> list[Objective]:
        return list(self.objectives)  # type: ignore[arg-type]
