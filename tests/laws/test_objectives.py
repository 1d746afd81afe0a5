"""What every objective obeys, with every model that fits it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from _pytest.mark import ParameterSet
from safetensors.torch import load, save
from torch import Tensor

from genbench import lookup
from genbench.models.base import Model
from genbench.noise import Noise
from genbench.objectives.base import Objective
from genbench.suites.parts import capabilities, lacking


def fits(objective: str, model: str) -> bool:
    """Whether the pair is possible: the model can all that is required, and can learn by it."""
    asked, able = lookup.describe("objective", objective), lookup.describe("model", model)
    learns = ("fit" in capabilities(able)) == (objective == "em") and model not in STILL
    return learns and not lacking(asked, able)


STILL = {"perturbed_data"}
"""Models that have nothing to learn: a critic trains against them alone."""
ORDER = ("generator", "nice", "vae", "mixture")
"""The models that are tried first."""
EACH = 2
"""Models, and as many conditional ones, for an objective and a kind of data in the default run."""


def cells() -> Iterator[ParameterSet]:
    """Every objective with every model and kind of data that it fits."""
    for objective in lookup.available("objective"):
        tried = Counter[tuple[str, bool]]()
        for model in dict.fromkeys((*ORDER, *lookup.available("model"))):
            if not fits(objective, model):
                continue
            about = lookup.describe("model", model).constants
            for kind in about.get("accepts", ("points", "images")):
                tried[kind, about.get("conditional", False)] += 1
                slow = tried[kind, about.get("conditional", False)] > EACH
                yield pytest.param(objective, model, kind, marks=[pytest.mark.slow] * slow)


CELLS = list(cells())
pytestmark = pytest.mark.parametrize(("objective_name", "model_name", "kind"), CELLS)


@pytest.fixture
def bench(laws: Any, model_name: str, kind: str) -> Any:
    return laws.bench(model_name, kind)


@pytest.fixture
def model(laws: Any, model_name: str, bench: Any) -> Model:
    return laws.model(model_name, bench).train()


@pytest.fixture
def objective(laws: Any, objective_name: str, model: Model, bench: Any) -> Objective:
    objective = laws.objective(objective_name, model)
    objective.prepare(model, bench.draw, Noise(5))
    return objective


def state(module: torch.nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in module.named_parameters()}


def test_who_plays_is_who_is_said_to_play(
    objective: Objective, model: Model, objective_name: str, kind: str
) -> None:
    players = objective.players(model)
    said = lookup.describe("objective", objective_name).constants.get("plays", ("model",))
    assert tuple(player.name for player in players) == tuple(said) == objective.plays
    everything = {id(p) for p in [*model.parameters(), *objective.parameters()]}
    for player in players:
        assert player.times >= 1
        assert player.parameters
        assert {id(p) for p in player.parameters} <= everything
        groups = {group for group in player.groups if group}
        if player.name != "model":
            named = lookup.describe("objective", objective_name).constants.get("critic_groups", ())
            assert groups == set(named)


def test_losses_are_finite_scalars_and_pure(
    laws: Any, objective: Objective, model: Model, bench: Any, kind: str
) -> None:
    batch = bench.draw(8, Noise(1))
    for player in objective.plays:
        def loss(player: str = player) -> Any:
            return objective.loss(player, model, batch, Noise(2))

        terms, again = laws.without_global_noise(loss), loss()
        assert terms
        assert list(again) == list(terms)
        for name, term in terms.items():
            assert term.shape == ()
            assert term.isfinite()
            assert torch.equal(term, again[name])


@torch.no_grad()
def shake(model: Model) -> None:
    for index, parameter in enumerate(model.parameters()):
        parameter += 0.1 * Noise(7).normal(str(index), *parameter.shape)


def test_a_move_changes_its_players_parameters_alone(
    laws: Any, objective: Objective, model: Model, bench: Any, kind: str
) -> None:
    for player in objective.players(model):
        own = {id(p) for p in player.parameters}
        mine = {
            name for module in (model, objective) for name, p in module.named_parameters()
            if id(p) in own
        }
        assert mine
        shake(model)  # no term may stand at its own optimum
        before = state(model), state(objective)
        laws.move(player.name, [(1.0, objective)], model, bench, Noise(3))
        moved = 0
        for module, old in zip((model, objective), before, strict=True):
            for name, parameter in module.named_parameters():
                same = torch.equal(parameter, old[name])
                assert same or id(parameter) in own, f"{player.name} moved {name}"
                moved += not same
        assert moved


def test_training_twice_gives_the_same_bits(
    laws: Any, objective_name: str, model_name: str, bench: Any, kind: str
) -> None:
    ends = []
    for _ in range(2):
        model = laws.model(model_name, bench).train()
        objective = laws.objective(objective_name, model)
        objective.prepare(model, bench.draw, Noise(5))
        for update in range(2):
            for player in objective.plays:
                noise = Noise(4).child(update, player)
                laws.move(player, [(1.0, objective)], model, bench, noise)
        ends.append({**model.state_dict(), **objective.state_dict(prefix="objective.")})
    assert all(torch.equal(ends[0][name], ends[1][name]) for name in ends[0])


def test_saved_and_loaded_it_has_the_same_losses(
    laws: Any, objective: Objective, objective_name: str, model: Model, bench: Any, kind: str
) -> None:
    for player in objective.plays:
        laws.move(player, [(1.0, objective)], model, bench, Noise(3))
    other = laws.objective(objective_name, model, seed=1)
    other.load_state_dict(load(save(objective.state_dict())))
    batch = bench.draw(8, Noise(1))
    for player in objective.plays:
        first = objective.loss(player, model, batch, Noise(2))
        second = other.loss(player, model, batch, Noise(2))
        assert all(torch.equal(first[name], second[name]) for name in first)
