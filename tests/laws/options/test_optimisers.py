"""No setting of an optimiser is silent: each moves otherwise by every rule, or is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest
import torch
import yaml

from genbench.errors import SuiteError
from genbench.fields import Optimiser
from genbench.running.build import build
from genbench.suites.expand import plan_of

VALUES = {
    "betas": [0.5, 0.9], "clip": 0.001, "lr": 0.01, "momentum": 0.9, "schedule": "cosine",
    "warmup": 2, "weight_decay": 0.1,
}
RULES = get_args(Optimiser.model_fields["name"].annotation)


class Hooks:
    """Nobody asks, and nobody is told."""

    def progress(self, *_: Any) -> None:
        pass

    def stopping(self) -> bool:
        return False

    def save(self, _: Any) -> None:
        pass


def moved(rule: str, place: str, settings: dict[str, Any]) -> list[float]:
    """The model's parameters after some updates under settings of everybody or of one player."""
    row: dict[str, Any] = {
        "model": {"name": "generator", "widths": [4]}, "optimiser": {"name": rule},
        "train": {"adversarial": {"critic_widths": [4]}},
    }
    if place == "optimiser":
        row["optimiser"] |= settings
    else:
        row["optimisers"] = {place: settings}
    suite = {
        "title": "t", "datasets": ["ring"], "seeds": 1, "real": False,
        "budget": {"updates": 4, "batch": 8}, "methods": {"mine": row}, "evaluate": ["nll"],
    }
    (run,) = plan_of(yaml.safe_dump(suite), "mine", Path()).runs
    built = build(run, Path(), torch.device("cpu"), offline=True, save_every=1e9)
    assert built.training is not None
    assert built.model is not None
    built.training.run(Hooks())
    return torch.cat([p.flatten() for p in built.model.parameters()]).tolist()


def test_every_setting_is_tried() -> None:
    assert {*VALUES, "name"} == set(Optimiser.model_fields)


@pytest.mark.parametrize("place", ["optimiser", pytest.param("model", marks=pytest.mark.slow)])
@pytest.mark.parametrize("rule", RULES)
def test_a_setting_acts_or_is_refused(rule: str, place: str) -> None:
    plain = moved(rule, place, {})
    for name, value in VALUES.items():
        try:
            assert moved(rule, place, {name: value}) != plain, name
        except SuiteError as refusal:
            assert f"{rule} has no {name}" in str(refusal)  # noqa: PT017


def test_every_rule_moves_in_its_own_way() -> None:
    ends = [moved(rule, "optimiser", {"weight_decay": 0.1}) for rule in RULES]
    assert all(one != other for i, one in enumerate(ends) for other in ends[:i])
