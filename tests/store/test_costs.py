"""What a suite says of its cost before it runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from genbench import lookup
from genbench.errors import PluginError
from genbench.store.costs import costs
from genbench.store.runs import Store
from genbench.suites.expand import Plan, plan_of

SUITE = """
datasets: {mnist: {}, digits: {}, ring: {}}
seeds: 2
budget: {updates: 100}
methods:
  chain: {use: ddpm, model: {steps: 1000}, datasets: [ring]}
  short: {use: ddpm, model: {steps: 20}, datasets: [ring]}
  vae: {datasets: [mnist]}
  gan: {datasets: [digits, ring]}
evaluate: [nll_iw, precision_recall, wasserstein1: {size: 3000}, emd]
"""
METRIC = """
from genbench.evaluation.base import Metric
from genbench.fields import ClassVar, Count

class Mine(Metric):
    values: ClassVar = {"mine": {"better": "lower", "title": "Mine"}}
    expensive: ClassVar = (({"k": 10}, "k = {k} rounds"),)
    k: Count = 3
    "Rounds."

    def measure(self, evidence, sample_set=0):
        return {"mine": 0.0}
"""


def planned(text: str, folder: Path) -> Plan:
    return plan_of(text, "suite.yaml", folder)


def finish(store: Store, run_id: str, seconds: float, updates: int = 100) -> None:
    folder = store.runs_folder / run_id
    folder.mkdir(parents=True)
    status = {"state": "done", "update": updates, "updates": updates, "seconds": seconds}
    (folder / "status.json").write_text(json.dumps(status))


def test_what_is_dear_is_named_with_its_reason(tmp_path: Path) -> None:
    [line] = costs(planned(SUITE, tmp_path), Store(tmp_path / "none"))
    parts = dict(part.split(" (", 1) for part in
                 line.removeprefix("takes long: ").removesuffix(")").split("); "))
    assert parts.keys() == {"chain on ring", "nll_iw", "precision_recall", "wasserstein1"}
    assert "1,000 passes of its network for each of up to 10,000 samples" in parts["chain on ring"]
    assert "5,000 passes of the model" in parts["nll_iw"]
    assert "of 3,000 points" in parts["wasserstein1"]
    assert "classifier is trained first" in line


def test_what_is_small_is_not_dear(tmp_path: Path) -> None:
    """Few samples, few steps, and no model that has a bound."""
    small = SUITE.replace("size: 3000", "size: 500").replace("steps: 1000", "steps: 20")
    small += "protocol: {samples: 500}\n"
    nowhere = Store(tmp_path / "none")
    [line] = costs(planned(small, tmp_path), nowhere)
    assert line.startswith("takes long: nll_iw (5,000 passes")
    assert line.count("(") == 1
    assert costs(planned(small.replace("nll_iw, ", ""), tmp_path), nowhere) == []
    unbounded = small.replace("  vae: {datasets: [mnist]}\n", "").replace("mnist: {}, ", "")
    assert costs(planned(unbounded, tmp_path), nowhere) == []


def test_stored_runs_say_how_long_they_took(tmp_path: Path) -> None:
    plan, store = planned(SUITE, tmp_path), Store(tmp_path / "results")
    finish(store, "chain--ring--s0--aaaaaaaa", 30.0)
    finish(store, "chain--ring--s1--aaaaaaaa", 40.0)
    finish(store, "gan--ring--s0--bbbbbbbb", 2.0, updates=50)
    finish(store, "gan--rings--s0--bbbbbbbb", 99.0)
    (store.runs_folder / "gan--digits--s0--cccccccc").mkdir()
    (store.runs_folder / "gan--digits--s0--cccccccc" / "status.json").write_text("{")
    assert costs(plan, store)[-1] == (
        "a stored run trained for: chain on ring 35 s, gan on ring 2 s (for 50 updates of 100)"
    )
    gans = [spec for spec in plan.runs if spec.method == "gan"]
    assert costs(plan, store, gans)[-1].startswith("a stored run trained for: gan on ring")
    assert costs(plan, store, []) == []


def test_a_metric_of_ones_own_says_it_too(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(METRIC)
    text = SUITE.replace("evaluate: [", 'evaluate: ["mine.py:Mine": {k: 12}, ')
    [line] = costs(planned(text, tmp_path), Store(tmp_path / "none"))
    assert "mine.py:Mine (k = 12 rounds)" in line
    for wrong in ("{n}", "{k!z}"):
        (tmp_path / "mine.py").write_text(METRIC.replace("{k}", wrong))
        with pytest.raises(PluginError, match="`expensive` does not make sense"):
            costs(planned(text, tmp_path), Store(tmp_path / "none"))


@pytest.mark.parametrize("kind", list(lookup.KINDS))
def test_declarations_speak_of_options_that_are_there(kind: str) -> None:
    for name in lookup.available(kind):
        component = lookup.describe(kind, name)
        facts = {option.name: option.default for option in component.options}
        facts |= {"samples": 10_000, "sets": 3, "data": "images", "labelled": True}
        for conditions, text in component.constants.get("expensive", ()):
            assert conditions.keys() <= facts.keys(), name
            assert text.format(**facts), name
