"""Every method of the zoo trains in either number format, and goes on with the same bits."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import load, save

from genbench.lookup import describe
from genbench.running.build import build
from genbench.suites.expand import plan_of
from genbench.suites.zoo import method_names, zoo_source
from genbench.training.loop import Interrupted, Training

UPDATES, STOP = 20, 7
SHARE = ("dcgan", "ddpm", "improved-gan", "mixflow-em", "sngan", "wgan-gp")
"""What the default run looks at: batch norm, an average, buffers, EM, spectral, a penalty."""
CASES = [
    pytest.param(name, precision, marks=() if name in SHARE else pytest.mark.slow)
    for name in method_names() for precision in ("fp32", "bf16")
]


class Hooks:
    """Stops after an update, and keeps what is saved."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.stop_at, self.seen, self.kept = stop_at, 0, b""
        self.meta: Mapping[str, Any] = {}

    def progress(self, update: int, losses: Mapping[str, float]) -> None:
        self.seen = update

    def stopping(self) -> bool:
        return self.stop_at is not None and self.seen >= self.stop_at

    def save(self, training: Training) -> None:
        tensors, self.meta = training.state()
        self.kept = save({key: value.contiguous() for key, value in tensors.items()})


def data_for(name: str) -> str:
    """The toy or the digits, whatever the method is for."""
    entry = zoo_source(name).data
    model = entry["model"]
    about = describe("model", model if isinstance(model, str) else model["name"]).constants
    labels = about.get("conditional", False) or name == "infogan-semi"
    return "digits" if labels or about.get("accepts") == ("images",) else "ring"


def training_of(name: str, precision: str) -> Training:
    suite = {
        "datasets": [data_for(name)], "seeds": 1, "budget": {"updates": UPDATES, "batch": 16},
        "methods": [name], "precision": precision, "real": False, "evaluate": ["memorisation"],
    }
    (run,) = plan_of(yaml.safe_dump(suite), "mine", Path()).runs
    built = build(run, Path(), torch.device("cpu"), offline=True, save_every=1e9)
    assert built.training is not None
    built.training.curves.every = 1
    return built.training


@pytest.mark.parametrize(("name", "precision"), CASES)
def test_stopped_and_resumed_it_ends_with_the_same_bits(name: str, precision: str) -> None:
    whole = training_of(name, precision)
    whole.run(Hooks())
    if whole.total == 0:
        return  # fitted in one go: nothing to stop
    assert whole.update == UPDATES
    first, hooks = training_of(name, precision), Hooks(STOP)
    with pytest.raises(Interrupted):
        first.run(hooks)
    again = training_of(name, precision)
    again.restore(load(hooks.kept), hooks.meta)
    again.run(Hooks())
    tensors = again.state()[0]
    for key, value in whole.state()[0].items():
        assert torch.equal(value, tensors[key]), key
    assert again.curves.rows == whole.curves.rows
    assert again.rows == whole.rows
