"""No option of a metric is silent, and none changes a number behind its protocol's back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import cache, partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from genbench import lookup
from genbench.data.base import Data, Split
from genbench.data.feed import Feed
from genbench.data.ring import Ring
from genbench.data.scaling import scaling_for
from genbench.evaluation.critic import CriticView
from genbench.evaluation.evidence import Evidence, SampleSettings
from genbench.evaluation.measure import measure
from genbench.noise import Noise
from genbench.objectives.sum import WeightedSum
from genbench.training import loop

ROWS, UPDATES, CLASSES = 120, 8, 3
GROUNDS: Mapping[str, tuple[str, str, str, dict[str, Any]]] = {
    "flow": ("points", "nice", "likelihood", {}),
    "clipped critic": ("points", "generator", "adversarial", {"penalty": "clip", "clip": 0.1}),
    "critic alone": (
        "points", "generator", "adversarial", {"critic_only": True, "model_gradient": True},
    ),
    "grey": ("grey", "vae", "elbo", {}),
    "codes": ("grey", "coded_generator", "infogan", {}),
    "labels": ("colour", "conditional_generator", "adversarial", {}),
    "colour codes": ("colour", "coded_generator", "infogan", {}),
}
"""Data, model and objective with options: something for every metric."""
SMALL: Mapping[str, Mapping[str, Any]] = {
    "kid": {"subset_size": 20, "subsets": 2}, "nll_iw": {"k": 6, "points": 20},
    "sinkhorn_distance": {"size": 30}, "wasserstein1": {"size": 30},
    "sliced_wasserstein": {"size": 30, "projections": 20}, "inverse_consistency": {"points": 30},
}
"""Fewer rows than a user would have."""
MORE: Mapping[str, list[Any]] = {"near": [0.5, 0.99], "radius": [0.5, 6.0, 20.0, 60.0]}
"""Values of options whose usual ones are of another size."""
FEW = ("critic_loss", "critic_modes", "critic_weights", "divergences", "mode_coverage")
"""Whose options the default run tries; the others are slow together."""
CASES = [
    pytest.param(name, option.name, marks=() if name in FEW else pytest.mark.slow)
    for name in lookup.available("metric") for option in lookup.describe("metric", name).options
]


class Pooled:
    """Stands for a network: a few fixed projections of the pixels."""

    sha256 = ""

    def __init__(self, name: str, dims: int) -> None:
        self.name, self.dims = name, dims

    def extract(self, rows: Tensor) -> tuple[np.ndarray, np.ndarray]:
        x = rows.flatten(1).float() / 255
        seen = x @ Noise(self.dims).normal("weights", x.shape[1], self.dims)
        return seen.numpy(), seen[:, :CLASSES].numpy()


@pytest.fixture(scope="module", autouse=True)
def _networks() -> Any:
    patch = pytest.MonkeyPatch()
    for name, dims in (("classifier", 5), ("inception", 7)):
        patch.setattr(
            f"genbench.evaluation.extractors.choice.{name}_for",
            lambda *_, name=name, dims=dims: Pooled(name, dims),
        )
    yield
    patch.undo()


def data_of(kind: str) -> Data:
    if kind == "points":
        options = {"modes": 3, "radius": 2.0, "train_size": ROWS, "test_size": ROWS}
        return Ring(**options).load(Path())
    labels, channels = torch.arange(ROWS) % CLASSES, 1 if kind == "grey" else 3
    train, test = (
        Split(Noise(seed).integers("x", 17, ROWS, channels, 8, 8).to(torch.uint8), labels)
        for seed in (1, 2)
    )
    return Data(
        "images", (channels, 8, 8), test, train, classes=CLASSES, levels=17, mode_count=CLASSES,
    )


@pytest.fixture(scope="module")
def held(laws: Any, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Evidence]:
    """Evidence about what a few updates made, by the name of its ground."""
    return cache(lambda name: evidence_of(laws, *GROUNDS[name], tmp_path_factory.mktemp("cache")))


def evidence_of(
    laws: Any, kind: str, model_name: str, objective_name: str, options: Mapping[str, Any],
    folder: Path,
) -> Evidence:
    data = data_of(kind)
    torch.manual_seed(0)
    model_class = lookup.load(lookup.describe("model", model_name))
    given = laws.small("model", model_name)
    scaling = scaling_for(data, *model_class.preferred_scaling(data.kind, **given))
    model = model_class(scaling.space(data), **given)
    objective = laws.objective(objective_name, model, options)
    training = loop.Training(
        model, [loop.Stage(WeightedSum([(1.0, objective)]), UPDATES)],
        Feed(data, scaling, 8, Noise(1)), Noise(2), loop.Settings(every=1),
    )
    training.run(SimpleNamespace(
        progress=lambda *_: None, stopping=lambda: False, save=lambda _: None
    ))
    critic = objective.trained_critic(model)
    return Evidence(
        data=data, scaling=scaling, model=model, noise=Noise(3), cache=folder,
        settings=SampleSettings(None, 2), curves=training.curves.rows, offline=True,
        critic=None if critic is None else CriticView.of(critic, objective.eval()),
    )


def cells(evidence: Evidence, name: str, options: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What is measured, and why it is not."""
    spec = SimpleNamespace(name=name, options={**SMALL.get(name, {}), **options})
    found = [asdict(cell) for cell in measure([spec], evidence)]
    assert all(cell["status"] != "failed" for cell in found), found
    return found


def numbers(
    held: Callable[[str], Evidence], ground: str, name: str, options: Mapping[str, Any]
) -> dict[str, Any]:
    """The numbers alone, by their place: a name or a protocol that changes is not enough."""
    return {
        str(place): (cell["value"], cell["sampling_std"], cell["status"])
        for place, cell in enumerate(cells(held(ground), name, options))
    }


@pytest.mark.parametrize(("name", "option"), CASES)
def test_some_value_of_every_option_changes_a_number(
    options: Any, held: Callable[[str], Evidence], name: str, option: str
) -> None:
    places = {ground: partial(numbers, held, ground, name) for ground in GROUNDS}
    why = options.silent(lookup.describe("metric", name), option, places, MORE)
    if why:
        pytest.fail(f"metric {name}: {why}")


@pytest.mark.slow
@pytest.mark.parametrize(("name", "option"), CASES)
def test_two_numbers_that_differ_have_two_protocols_or_names(
    options: Any, held: Callable[[str], Evidence], name: str, option: str
) -> None:
    for evidence in map(held, GROUNDS):
        known: dict[str, Any] = {}
        for value in [None, *options.values(lookup.describe("metric", name), option, MORE)]:
            given = {} if value is None else {option: value}
            for cell in cells(evidence, name, given):
                if cell["status"] == "ok":
                    called = f"{cell['metric']} by {cell['protocol']}"
                    number = cell["value"], cell["sampling_std"]
                    assert known.setdefault(called, number) == number, (called, given)
