"""Optimisers of players: torch's update rules, stateless learning-rate schedules."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import torch

from genbench.errors import GenbenchError
from genbench.fields import Optimiser
from genbench.lookup import suggest
from genbench.objectives.base import Player


def learning_rate(spec: Optimiser, update: int, updates: int) -> float:
    """The factor on the learning rate at an update (from 0) of a stage of `updates`."""
    warm = min(1.0, (update + 1) / spec.warmup) if spec.warmup else 1.0
    progress = update / max(1, updates)
    if spec.schedule == "cosine":
        return warm * 0.5 * (1 + math.cos(math.pi * progress))
    if spec.schedule == "linear":
        return warm * (1 - progress)
    return warm


def check_groups(players: Iterable[Player], overrides: Mapping[str, Optimiser]) -> None:
    """Refuse settings of a parameter group that no player has.

    Raises:
        GenbenchError: the unknown group, and the known ones.
    """
    known = {f"{player.name}.{group}" for player in players for group in player.groups if group}
    for name in overrides:
        if "." in name and name not in known:
            hint = suggest(name, known)
            raise GenbenchError(
                f"optimisers: no player trains a group of parameters '{name}'{hint}"
            )


class PlayerOptimiser:
    """The optimisers of one player: one per parameter group with settings of its own, which may
    differ in any hyperparameter, also in the update rule.

    `clip` bounds the joint gradient norm of all parameters with the same bound.
    """

    def __init__(
        self, player: Player, default: Optimiser, overrides: Mapping[str, Optimiser], updates: int
    ) -> None:
        shared = overrides.get(player.name, default)
        self.updates = updates
        groups: list[tuple[Optimiser, list[torch.nn.Parameter]]] = []
        for name, parameters in player.groups.items():
            spec = overrides.get(f"{player.name}.{name}", shared) if name else shared
            alike = [members for other, members in groups if other == spec]
            if alike:  # equal settings: one group, one fused step
                alike[0].extend(parameters)
            elif parameters:
                groups.append((spec, list(parameters)))
        self.rules = [(spec, _make(spec, parameters)) for spec, parameters in groups]
        self.clipped: dict[float, list[torch.nn.Parameter]] = {}
        for spec, parameters in groups:
            if spec.clip is not None:
                self.clipped.setdefault(spec.clip, []).extend(parameters)

    def zero(self) -> None:
        """Set all gradients to None."""
        for _, rule in self.rules:
            rule.zero_grad(set_to_none=True)

    def step(self, update: int) -> None:
        """One optimiser step, at the scheduled learning rate of this update (from 0) of the stage.
        """
        for bound, parameters in self.clipped.items():
            torch.nn.utils.clip_grad_norm_(parameters, bound)
        for spec, rule in self.rules:
            if spec.schedule != "constant" or spec.warmup:
                rate = spec.lr * learning_rate(spec, update, self.updates)
                rule.param_groups[0]["lr"] = rate
            rule.step()

    def state(self) -> dict[str, Any]:
        """The optimiser state: "<index of the parameter>.<slot>" → a tensor or number."""
        kept: dict[str, Any] = {}
        first = 0
        for _, rule in self.rules:
            for number, slots in rule.state_dict()["state"].items():
                kept |= {f"{first + number}.{key}": value for key, value in slots.items()}
            first += len(rule.param_groups[0]["params"])
        return kept

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Load what `state` returned."""
        first = 0
        for _, rule in self.rules:
            count = len(rule.param_groups[0]["params"])
            state: dict[int, dict[str, Any]] = {}
            for key, value in kept.items():
                number, slot = key.split(".", 1)
                if first <= int(number) < first + count:
                    state.setdefault(int(number) - first, {})[slot] = value
            groups = rule.state_dict()["param_groups"]
            rule.load_state_dict({"state": state, "param_groups": groups})
            first += count


def _make(spec: Optimiser, parameters: list[torch.nn.Parameter]) -> torch.optim.Optimizer:
    lr, decay = spec.lr, spec.weight_decay
    if spec.name in ("adam", "adamw"):
        adam = torch.optim.Adam if spec.name == "adam" else torch.optim.AdamW
        return adam(parameters, lr, betas=spec.betas, weight_decay=decay, fused=True)
    if spec.name == "rmsprop":
        return torch.optim.RMSprop(parameters, lr, momentum=spec.momentum, weight_decay=decay)
    return torch.optim.SGD(
        parameters, lr, momentum=spec.momentum, weight_decay=decay, fused=True
    )
