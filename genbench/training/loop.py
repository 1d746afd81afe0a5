"""The training loop, the same for all methods: it updates an objective's players in turn."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor

from genbench.data.feed import Feed
from genbench.errors import Diverged
from genbench.fields import Optimiser
from genbench.models.base import Model
from genbench.noise import Noise
from genbench.objectives.base import Batch, Player
from genbench.objectives.sum import WeightedSum
from genbench.training.average import ExponentialMovingAverage
from genbench.training.curves import Curves
from genbench.training.modes import check_batch, set_training_mode
from genbench.training.optimisers import PlayerOptimiser, check_groups

LOGGED = "watched"
"""The player name under which scalars are logged that are not part of a loss."""
READ_EVERY = 0.25
"""Seconds between reads of the losses (a read synchronises with the device)."""


class Interrupted(Exception):
    """A stop was requested; the training state is saved."""


class Hooks(Protocol):
    """Callbacks of the training loop."""

    def progress(self, update: int, losses: Mapping[str, float]) -> None:
        """Called periodically with the number of updates and the latest losses."""

    def stopping(self) -> bool:
        """Whether to save and stop."""
        ...

    def save(self, training: Training) -> None:
        """Save a checkpoint."""


class _NoHooks:
    """No output and no checkpoints."""

    def progress(self, update: int, losses: Mapping[str, float]) -> None: ...

    def stopping(self) -> bool:
        return False

    def save(self, training: Training) -> None: ...


@dataclass(frozen=True)
class Stage:
    """A number of updates with one objective."""

    objective: WeightedSum
    updates: int


@dataclass(frozen=True)
class Settings:
    """Settings of the training: optimisers, EMA, precision, checkpoints."""

    optimiser: Optimiser = field(default_factory=Optimiser)
    optimisers: Mapping[str, Optimiser] = field(default_factory=dict)
    ema: float | None = None
    bf16: bool = False
    compile: bool = False
    save_every: float = 60.0
    """Seconds between checkpoints."""
    every: int | None = None
    """Updates per row of the curves; None gives about 400 rows."""


@dataclass
class _PlayerState:
    """A player's optimiser, and the other players' parameters, frozen during its update."""

    player: Player
    optimiser: PlayerOptimiser
    others: list[torch.nn.Parameter]


class Training:
    """The state of training one model, and the loop that advances it.

    `update` counts the updates over all stages, `rows` the training examples drawn for updates of
    all players and for data-dependent initialisation. Together with the tensors this is the whole
    state: every random draw is keyed by the update, not by earlier draws.
    """

    def __init__(
        self, model: Model, stages: Sequence[Stage], feed: Feed, noise: Noise,
        settings: Settings | None = None,
    ) -> None:
        self.model, self.feed, settings = model, feed, settings or Settings()
        self.stages = [  # no players (a closed-form fit): no updates to count
            stage if stage.objective.players(model) else Stage(stage.objective, 0)
            for stage in stages
        ]
        self.noise, self.settings = noise, settings
        self.update = 0
        self.rows = 0
        self.seconds = 0.0
        self.total = sum(stage.updates for stage in self.stages)
        check_groups(
            [player for stage in self.stages for player in stage.objective.players(model)],
            settings.optimisers,
        )
        check_batch([model, *(stage.objective for stage in stages)], feed.size)
        self.curves = Curves(settings.every or max(1, self.total // 400))
        self.average = (
            None if settings.ema is None else ExponentialMovingAverage(model, settings.ema)
        )
        self.players: list[_PlayerState] = []
        self._entered = -1
        self._device = next(iter([*model.parameters(), *model.buffers()]), torch.empty(0)).device
        if settings.compile:
            _compile_networks(model)

    @property
    def trained(self) -> Model:
        """The model to evaluate: its EMA if the method has one."""
        return self.model if self.average is None else self.average.read()  # type: ignore[return-value]

    def stage_of(self, update: int) -> tuple[int, int]:
        """The stage of update number `update` (from 0), and the stage's first update."""
        first = 0
        for index, stage in enumerate(self.stages):
            if update < first + stage.updates:
                return index, first
            first += stage.updates
        return len(self.stages) - 1, first - (self.stages[-1].updates if self.stages else 0)

    def run(self, hooks: Hooks | None = None) -> None:
        """Train to the end of the budget; without `hooks`, no output and no checkpoints.

        Raises:
            Diverged: a loss or a parameter became NaN or infinite.
            Interrupted: `hooks.stopping()` was True; the state is saved.
        """
        hooks = hooks or _NoHooks()
        began = saved = read = time.monotonic()
        before = self.seconds
        for index in range(len(self.stages)):
            self._enter_empty(index)
        while self.update < self.total:
            index, first = self.stage_of(self.update)
            if self._entered != index:
                self.enter(index, prepare=self.update == first)
            self._update_players(index, self.update - first)
            self.update += 1
            now, last = time.monotonic(), self.update == self.total
            if last or now - read > READ_EVERY or self.update % self.curves.every == 0:
                self.curves.read(self.update, index, last=last)
                self.seconds, read = before + now - began, now
                hooks.progress(self.update, self.curves.latest)
                stopping = not last and hooks.stopping()
                if stopping or now - saved > self.settings.save_every:
                    hooks.save(self)
                    saved = time.monotonic()
                if stopping:
                    raise Interrupted
        self._assert_finite()
        self.seconds = before + time.monotonic() - began

    def enter(self, index: int, *, prepare: bool) -> None:
        """Create a stage's optimisers, after data-dependent initialisation if it `prepare`s."""
        objective = self.stages[index].objective
        objective.train()
        objective.begin(self.stages[index].updates)
        if prepare:
            self._prepare(index)
        players = objective.players(self.model)
        trained = {id(p): p for player in players for p in player.parameters}
        self.players = []
        for player in players:
            own = {id(p) for p in player.parameters}
            optimiser = PlayerOptimiser(
                player, self.settings.optimiser, self.settings.optimisers,
                self.stages[index].updates,
            )
            others = [p for k, p in trained.items() if k not in own and p.requires_grad]
            self.players.append(_PlayerState(player, optimiser, others))
        self._entered = index
        set_training_mode(self.model, trained)

    def _enter_empty(self, index: int) -> None:
        """Prepare a stage without updates (a closed-form fit)."""
        stage = self.stages[index]
        first = sum(s.updates for s in self.stages[:index])
        if stage.updates == 0 and self.update <= first:
            self._prepare(index)

    def _prepare(self, index: int) -> None:
        noise = self.noise.child("prepare", index)
        noise.seed_torch()
        self.stages[index].objective.prepare(self.model, self._draw, noise)

    def _draw(self, n: int, noise: Noise) -> Batch:
        self.rows += n
        return Batch(*self.feed.draw(n, noise))

    def _update_players(self, index: int, step: int) -> None:
        batches = sum(state.player.times for state in self.players)
        position = self.update * batches
        for state in self.players:
            for parameter in state.others:
                parameter.requires_grad_(False)
            for time_ in range(state.player.times):
                batch = Batch(*self.feed.batch(position))
                position += 1
                self.rows += len(batch)
                noise = self.noise.child(self.update, state.player.name, time_)
                self._step(index, state, batch, noise, step)
            for parameter in state.others:
                parameter.requires_grad_(True)
        if self.average is not None:
            self.average.update(self.update)

    def _step(
        self, index: int, state: _PlayerState, batch: Batch, noise: Noise, step: int
    ) -> None:
        objective, name = self.stages[index].objective, state.player.name
        noise.seed_torch()
        with self._cast():
            total, terms = objective.loss(name, self.model, batch, noise)
            logged = objective.log(name, self.model, batch, noise)
        if total.requires_grad:  # an exact M-step has no gradient: the update is in after_update
            state.optimiser.zero()
            total.backward()
            state.optimiser.step(step)
        self.curves.log(self.update + 1, name, terms)
        self.curves.log(self.update + 1, LOGGED, logged)
        objective.after_update(name, self.model, batch, step)

    def _cast(self) -> AbstractContextManager[Any]:
        if not self.settings.bf16:
            return nullcontext()
        return torch.autocast(self._device.type, torch.bfloat16)

    def _assert_finite(self) -> None:
        for name, parameter in self.model.named_parameters():
            if not bool(torch.isfinite(parameter).all()):
                raise Diverged(f"parameter {name}", self.update, float("nan"))

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """The training state: tensors by name, and JSON-serialisable metadata."""
        tensors = {f"model.{k}": v for k, v in self.model.state_dict().items()}
        for index, stage in enumerate(self.stages):
            for key, value in stage.objective.state_dict().items():
                tensors[f"objective.{index}.{key}"] = value
        if self.average is not None:
            for key, value in self.average.read().state_dict().items():
                tensors[f"average.{key}"] = value
        scalars: dict[str, Any] = {}
        for state in self.players if self.update < self.total else []:
            for key, value in state.optimiser.state().items():
                where = f"optimiser.{state.player.name}.{key}"
                if isinstance(value, Tensor):
                    tensors[where] = value
                elif value is not None:
                    scalars[where] = value
        return tensors, {
            "update": self.update, "rows": self.rows, "scalars": scalars,
            "curves": self.curves.state(),
        }

    def restore(self, tensors: Mapping[str, Tensor], meta: Mapping[str, Any]) -> None:
        """Load a saved state."""
        self.model.load_state_dict(_under(tensors, "model."))
        for index, stage in enumerate(self.stages):
            stage.objective.load_state_dict(_under(tensors, f"objective.{index}."))
        if self.average is not None:
            self.average.model.load_state_dict(_under(tensors, "average."))
        self.update, self.rows = meta["update"], meta.get("rows", 0)
        self.curves.restore(meta["curves"])
        index, first = self.stage_of(self.update)
        if not self.stages or self.update == first or self.update >= self.total:
            return
        self.enter(index, prepare=False)
        saved = {**tensors, **meta["scalars"]}
        for state in self.players:
            state.optimiser.restore(_under(saved, f"optimiser.{state.player.name}."))


def _under(tensors: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def _compile_networks(model: torch.nn.Module) -> None:
    """Compile, in place, the networks of a model: its outermost submodules with a forward."""
    for child in model.children():
        if isinstance(child, torch.nn.ModuleList | torch.nn.ModuleDict | torch.nn.ParameterList):
            _compile_networks(child)
        else:
            child.compile()
