"""Optimisers of players: update rules at published settings, schedules without state."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch

from genbench.fields import Optimiser
from genbench.objectives._base import Player

__all__ = ["PlayerOptimiser", "learning_rate"]


def learning_rate(spec: Optimiser, update: int, updates: int) -> float:
    """The factor on the learning rate at an update (from 0) of a stage of `updates`."""
    warm = min(1.0, (update + 1) / spec.warmup) if spec.warmup else 1.0
    progress = update / max(1, updates)
    if spec.schedule == "cosine":
        return warm * 0.5 * (1 + math.cos(math.pi * progress))
    if spec.schedule == "linear":
        return warm * (1 - progress)
    return warm


class PlayerOptimiser:
    """The optimiser of one player, with a rate of its own for each group that was given one."""

    def __init__(
        self, player: Player, default: Optimiser, overrides: Mapping[str, Optimiser], updates: int
    ) -> None:
        self.spec = overrides.get(player.name, default)
        self.updates = updates
        self.parameters = player.parameters
        self.specs: list[Optimiser] = []
        groups: list[dict[str, Any]] = []
        for name, parameters in player.groups.items():
            spec = overrides.get(f"{player.name}.{name}", self.spec) if name else self.spec
            if spec in self.specs:  # one group for all at the same settings: one fused step
                groups[self.specs.index(spec)]["params"].extend(parameters)
            elif parameters:
                groups.append({"params": list(parameters), "lr": spec.lr})
                self.specs.append(spec)
        self.torch = _make(self.spec, groups)
        self.moving = any(s.schedule != "constant" or s.warmup for s in self.specs)

    def zero(self) -> None:
        """Forget the gradients."""
        self.torch.zero_grad(set_to_none=True)

    def step(self, update: int) -> None:
        """Move once, at the schedule's rate for this update of the stage (from 0)."""
        if self.moving:
            for group, spec in zip(self.torch.param_groups, self.specs, strict=True):
                group["lr"] = spec.lr * learning_rate(spec, update, self.updates)
        if self.spec.clip is not None:
            torch.nn.utils.clip_grad_norm_(self.parameters, self.spec.clip)
        self.torch.step()


def _make(spec: Optimiser, groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
    decay = spec.weight_decay
    if spec.name == "adam":
        return torch.optim.Adam(groups, betas=spec.betas, weight_decay=decay, fused=True)
    if spec.name == "adamw":
        return torch.optim.AdamW(groups, betas=spec.betas, weight_decay=decay, fused=True)
    if spec.name == "rmsprop":
        return torch.optim.RMSprop(groups, momentum=spec.momentum, weight_decay=decay)
    return torch.optim.SGD(groups, momentum=spec.momentum, weight_decay=decay, fused=True)
