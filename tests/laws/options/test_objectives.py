"""No option of an objective is silent: some value of each changes how it is trained."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import pytest
import torch

from genbench import lookup
from genbench.data.feed import Feed
from genbench.noise import Noise
from genbench.objectives.sum import WeightedSum
from genbench.suites.parts import capabilities, lacking
from genbench.training.loop import Settings, Stage, Training

UPDATES = 3
FEW = ("denoising", "likelihood", "mixture_em", "mmd")
"""Whose options the default run tries; the others are slow together."""
MODELS: Mapping[str, list[dict[str, Any]]] = {
    "generator": [{}], "conditional_generator": [{}], "autoencoder": [{}], "vae": [{}],
    "coded_generator": [{}], "generator_mixture": [{}], "deligan": [{}], "ddpm": [{}],
    "mixture": [{}, {"start": "random"}, {"component_options": {"couplings": 0}}],
    "gaussian_mixture": [{}],
}
"""Cheap ones, with options; those that can all that an objective asks for are its grounds."""
WITH = {("pgan", "critic_channels"): {"critic": "dcgan", "shared_trunk": True}}
"""What an option needs beside it where that is more than one other option."""
CASES = [
    pytest.param(name, option.name, marks=() if name in FEW else pytest.mark.slow)
    for name in lookup.available("objective")
    for option in lookup.describe("objective", name).options
]


class Hooks:
    """Nobody asks, and nobody is told."""

    def progress(self, update: int, losses: Mapping[str, float]) -> None:
        pass

    def stopping(self) -> bool:
        return False

    def save(self, training: Training) -> None:
        pass


def fitting(name: str) -> list[str]:
    """The models that can all that the objective asks for, and learn as it teaches."""
    asked = lookup.describe("objective", name)
    able = {model: lookup.describe("model", model) for model in MODELS}
    return [
        model for model in MODELS if not lacking(asked, able[model])
        and ("fit" in capabilities(able[model])) == (name == "em")
    ]


def trained(
    laws: Any, name: str, model_name: str, kind: str, given: Mapping[str, Any],
    options: Mapping[str, Any],
) -> Mapping[str, Any]:
    """What the objective is made of, who plays, every term of some updates, and the end."""
    bench = laws.bench(model_name, kind, given)
    model = laws.model(model_name, bench, given)
    torch.manual_seed(0)
    cls = lookup.load(lookup.describe("objective", name))
    objective = cls(model, **{**laws.small("objective", name), **options})
    found = {f"start.{key}": value.clone() for key, value in objective.state_dict().items()}
    found |= {
        f"player.{player.name}": (player.times, sorted(player.groups))
        for player in objective.players(model)
    }
    training = Training(
        model, [Stage(WeightedSum([(1.0, objective)]), UPDATES)],
        Feed(bench.data, bench.scaling, 8, Noise(1)), Noise(2), Settings(every=1),
    )
    training.run(Hooks())
    tensors, meta = training.state()
    return {**found, **tensors, "curves": str(meta["curves"]), "rows": meta["rows"]}


@pytest.mark.parametrize(("name", "option"), CASES)
def test_some_value_of_every_option_changes_something(
    laws: Any, options: Any, name: str, option: str
) -> None:
    grounds = {
        f"{kind} {model} {given}": partial(trained, laws, name, model, kind, given)
        for kind in ("points", "images") for model in fitting(name) for given in MODELS[model]
    }
    assert grounds
    component, beside = lookup.describe("objective", name), WITH.get((name, option), {})
    if beside:
        grounds = {
            f"{place} {beside}": lambda options, make=make: make({**beside, **options})
            for place, make in grounds.items()
        }
    why = options.silent(component, option, grounds)
    if why:
        pytest.fail(f"objective {name}: {why}")
