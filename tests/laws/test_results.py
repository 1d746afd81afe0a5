"""What each method of the zoo learns in three updates: results do not change unnoticed.

`results.json` has a few numbers of each, and the versions of the parts that made them. Where they
change, a version has to be raised, or stored runs would pass for runs of the new code;
`python tests/laws/test_results.py [METHOD …]` notes those of today.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from genbench.lookup import describe
from genbench.noise import Noise
from genbench.running.build import build
from genbench.suites.expand import plan_of
from genbench.suites.spec import RunSpec
from genbench.suites.zoo import method_names, zoo_source

TABLE = Path(__file__).with_name("results.json")
UPDATES, BATCH, SAMPLES = 3, 16, 32
SHARE = ("bigan", "dcgan", "ddpm", "gan", "gaussian-mixture", "glow", "iwae", "mcgan", "mixflow",
         "mixflow-em", "mmd", "pgan", "realnvp", "sinkhorn", "spline", "wgan-gp")
"""What the default run looks at: each kind of model, and each family of losses."""
CASES = [pytest.param(name, marks=() if name in SHARE else pytest.mark.slow)
         for name in method_names()]


def run_of(name: str) -> RunSpec:
    entry = zoo_source(name).data
    model = entry["model"]
    about = describe("model", model if isinstance(model, str) else model["name"]).constants
    labels = about.get("conditional", False) or name == "infogan-semi"
    data = "digits" if labels or about.get("accepts") == ("images",) else "ring"
    suite = {"datasets": [data], "seeds": 1, "budget": {"updates": UPDATES, "batch": BATCH},
             "methods": [name], "real": False, "evaluate": ["memorisation"]}
    [run] = plan_of(yaml.safe_dump(suite), "law", Path()).runs
    return run


def versions_in(run: RunSpec) -> dict[str, int]:
    """The versions of all that decides the run."""
    parts = [run.model, run.data, *(t.objective for stage in run.stages for t in stage.terms)]
    found = {"training": run.training}
    for part in parts:
        found |= {part.name: 1} | part.versions
    return found


def numbers_of(run: RunSpec) -> dict[str, float]:
    """The losses of the last update, and moments of the parameters and of samples."""
    device = torch.device("cpu")
    built = build(run, Path(), device, offline=True, save_every=1e9)
    training = built.training
    assert training is not None
    training.curves.every = 1
    training.run()
    last = max((row["update"] for row in training.curves.rows), default=0)
    found = {f"{row['player']} {row['term']}": float(row["value"])
             for row in training.curves.rows if row["update"] == last}
    state = sorted(training.model.state_dict().items())
    tensors = [value.double().flatten() for _, value in state if value.dtype.is_floating_point]
    if tensors:
        found |= _moments("parameters", torch.cat(tensors))
    model = training.trained.eval()
    context = torch.arange(SAMPLES) % built.data.classes if type(model).conditional else None
    with torch.no_grad():
        samples = model.generate(SAMPLES, Noise(7, device), context)
    return found | _moments("samples", samples.double().flatten())


def _moments(what: str, x: torch.Tensor) -> dict[str, float]:
    return {f"mean of {what}": float(x.mean()), f"size of {what}": float(x.square().mean().sqrt())}


def entry_of(name: str) -> dict[str, Any]:
    run = run_of(name)
    return {"id": run.hash, "versions": versions_in(run), "numbers": numbers_of(run)}


def fault(name: str, then: dict[str, Any], now: dict[str, Any]) -> str:
    """What is wrong where results changed, and what to do; nothing where they may."""
    other = [
        f"{what} was {value:.6g} and is {now['numbers'].get(what)}"
        for what, value in then["numbers"].items()
        if now["numbers"].get(what) != pytest.approx(value, rel=1e-3, abs=1e-5)
    ]
    if not other or then["id"] != now["id"]:
        return ""
    versions = ", ".join(f"{part} {number}" for part, number in now["versions"].items())
    return (f"three updates of '{name}' give other results: {other[0]}. Stored runs would pass "
            f"for runs of this code: raise the `version` of what changed (of {versions}), and say "
            "in `changed` for which options, where it is not for all; then "
            f"`python tests/laws/test_results.py {name}` notes it")


def read() -> dict[str, dict[str, Any]]:
    return json.loads(TABLE.read_text()) if TABLE.exists() else {}


@pytest.mark.parametrize("name", CASES)
def test_three_updates_give_the_results_of_their_versions(name: str) -> None:
    then, now = read().get(name), entry_of(name)
    note = f"`python tests/laws/test_results.py {name}` notes it"
    assert then is not None, f"'{name}' is not in {TABLE.name}: {note}"
    assert not fault(name, then, now), fault(name, then, now)
    assert then["id"] == now["id"], f"'{name}' is another run now, by settings or versions: {note}"


def test_the_table_has_every_method() -> None:
    assert set(read()) == set(method_names())


def test_changed_results_are_told_with_what_to_do() -> None:
    then = {"id": "a", "versions": {"nice": 1}, "numbers": {"model nll": 2.0}}
    near = {**then, "numbers": {"model nll": 2.0001}}
    far = {**then, "numbers": {"model nll": 2.1}}
    assert fault("nice", then, near) == ""
    assert "model nll was 2 and is 2.1" in fault("nice", then, far)
    assert "raise the `version`" in fault("nice", then, far)
    assert fault("nice", then, {**far, "id": "b"}) == ""
    assert fault("nice", then, {**then, "numbers": {}}) != ""


if __name__ == "__main__":
    table = read()
    named = sys.argv[1:] or list(method_names())
    made = {name: entry_of(name) for name in named}
    wrong = [fault(name, table[name], made[name]) for name in named if name in table]
    if any(wrong):
        sys.exit("\n".join(filter(None, wrong)))
    known = {name: entry for name, entry in table.items() if name in method_names()}
    TABLE.write_text(json.dumps(known | made, indent=1, sort_keys=True) + "\n")
