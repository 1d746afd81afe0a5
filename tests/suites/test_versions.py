"""A default that changes without a raised version is refused: stored runs would be others' runs.

`versions.json` has the version and the defaults of every part; `python tests/suites/
test_versions.py` notes those of today, once they are in order.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from genbench.errors import SuiteError
from genbench.fields import Optimiser
from genbench.lookup import KINDS, Component, available, describe
from genbench.suites import json_schema
from genbench.suites.contents import published
from genbench.suites.expand import plan_of
from genbench.suites.former import read_spec
from genbench.suites.identity import defaults_of
from genbench.suites.spec import RunSpec
from genbench.suites.versions import TRAINING_CHANGED

TABLE = Path(__file__).with_name("versions.json")
NOTE = "`python tests/suites/test_versions.py` notes it"
PARTS = [f"{kind} {name}" for kind in KINDS if kind in ("model", "objective", "dataset", "metric")
         for name in available(kind)]
SUITE = """\
datasets: {ring: {}}
seeds: 2
budget: {updates: 9}
real: false
methods: {gan: {}, mine: {model: {name: mixture, component: realnvp}, train: likelihood}}
evaluate: [memorisation]
"""
Entry = Mapping[str, Any]


def entry_of(part: str) -> dict[str, Any]:
    """The version and the defaults of a part, or of the training itself."""
    if part == "training":
        fields = {name: field.default for name, field in RunSpec.model_fields.items()
                  if not field.is_required() and name not in ("format", "training", "protocol")}
        fields["optimiser"] = Optimiser().model_dump(mode="json")
        return {"version": max(TRAINING_CHANGED), "defaults": fields}
    component = describe(*part.split(" "))
    return {"version": component.constants.get("version", 1),
            "defaults": dict(defaults_of(component)),
            "gone": sorted({*component.constants.get("retired", {}),
                            *component.constants.get("aliases", {})})}


def faults(part: str, then: Entry | None, now: Entry) -> list[str]:
    """What is wrong with a part's version, and what to do."""
    if then is None or now["version"] > then["version"]:
        return []
    if now["version"] < then["version"]:
        return [f"{part}: its version was {then['version']} and is {now['version']}: a version "
                "never comes again"]
    found = []
    for option, value in then["defaults"].items():
        if option in now["defaults"] and now["defaults"][option] != value:
            found.append(
                f"{part}: the default of '{option}' was {value!r} and is "
                f"{now['defaults'][option]!r}, and stored runs that left it out would be taken "
                f"for runs of the new one: raise `version` to {now['version'] + 1}; then {NOTE}"
            )
        if option not in now["defaults"] and option not in now.get("gone", ()):
            found.append(
                f"{part}: there is no option '{option}' any more: name in `aliases` what it is "
                "called today, or in `retired` the value with which it did nothing (or raise "
                f"`version` to {now['version'] + 1}); then {NOTE}"
            )
    return found


def read() -> dict[str, Entry]:
    return json.loads(TABLE.read_text()) if TABLE.exists() else {}


@pytest.mark.parametrize("part", [*PARTS, "training"])
def test_every_default_is_that_of_the_version(part: str) -> None:
    then, now = read().get(part), json.loads(json.dumps(entry_of(part)))
    assert not faults(part, then, now), "\n".join(faults(part, then, now))
    assert then == now, f"{part} is not as it stands in {TABLE.name}: {NOTE}"


def test_the_table_names_no_part_that_is_gone() -> None:
    assert set(read()) == {*PARTS, "training"}, NOTE


def test_a_changed_default_is_told_with_what_to_do() -> None:
    then = {"version": 2, "defaults": {"widths": [64], "rate": 0.5}}
    changed = {"version": 2, "defaults": {"widths": [64], "rate": 0.1}, "gone": []}
    [fault] = faults("model x", then, changed)
    assert "the default of 'rate' was 0.5 and is 0.1" in fault
    assert "raise `version` to 3" in fault
    assert faults("model x", then, {**changed, "version": 3}) == []
    [lost] = faults("model x", then, {"version": 2, "defaults": {"rate": 0.5}, "gone": []})
    assert "no option 'widths' any more" in lost
    assert not faults("model x", then, {"version": 2, "defaults": {"rate": 0.5},
                                        "gone": ["widths"]})
    [back] = faults("model x", then, {**changed, "version": 1})
    assert "never comes again" in back
    grown = {"version": 2, "defaults": {**then["defaults"], "new": 0}, "gone": []}
    assert faults("model x", then, grown) == []


def changed_part(
    monkeypatch: pytest.MonkeyPatch, kind: str, name: str, **constants: Any
) -> Component:
    """A part of genbench as a later one may have it."""
    component = describe(kind, name)
    for key, value in constants.items():
        monkeypatch.setitem(component.constants, key, value)
    return component


def ids(folder: Path, text: str = SUITE) -> dict[str, str]:
    return {f"{run.method} {run.seed}": run.id for run in plan_of(text, "s", folder).runs}


def test_a_neutral_option_more_moves_no_id(tmp_path: Path) -> None:
    before = plan_of(SUITE, "s", tmp_path)
    with_less = [
        run.model_dump(mode="json") for run in before.runs
    ]
    for raw in with_less:  # as a genbench stored them that had none of these options yet
        raw["model"]["options"].pop("widths", None)
        for stage in raw["stages"]:
            for term in stage["terms"]:
                term["objective"]["options"].pop("penalty", None)
        raw["optimiser"].pop("clip")
    assert [read_spec(raw).id for raw in with_less] == [run.id for run in before.runs]
    assert [read_spec(raw) for raw in with_less] == list(before.runs)


def test_only_what_differs_from_a_default_is_hashed(tmp_path: Path) -> None:
    same = SUITE.replace("gan: {}", "gan: {train: {adversarial: {smooth_real: 0.0}}}")
    assert ids(tmp_path, same) == ids(tmp_path)
    other = SUITE.replace("gan: {}", "gan: {train: {adversarial: {smooth_real: 0.1}}}")
    moved = ids(tmp_path, other)
    assert moved["gan 0"] != ids(tmp_path)["gan 0"]
    assert moved["mine 0"] == ids(tmp_path)["mine 0"]
    [run, *_] = plan_of(other, "s", tmp_path).runs
    options = run.identity()["stages"][0]["terms"][0]["objective"]["options"]
    assert options["smooth_real"] == 0.1
    assert "minibatch_features" not in options


@pytest.mark.parametrize(("kind", "name", "moved"), [
    ("objective", "adversarial", {"gan"}), ("objective", "likelihood", {"mine"}),
    ("model", "realnvp", {"mine"}), ("model", "mixture", {"mine"}),
    ("dataset", "ring", {"gan", "mine"}), ("model", "nice", set()),
])
def test_a_raised_version_moves_the_ids_of_its_runs_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, name: str, moved: set[str]
) -> None:
    before = ids(tmp_path)
    changed_part(monkeypatch, kind, name, version=9, changed={})
    after = ids(tmp_path)
    assert {row.split()[0] for row in before if before[row] != after[row]} == moved


def test_a_version_that_changed_some_options_moves_their_runs_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noisy = SUITE.replace("gan: {}", "gan: {}, noisy: {use: gan, train: {adversarial: "
                                     "{smooth_real: 0.2}}}")
    before = ids(tmp_path, noisy)
    known = describe("objective", "adversarial").constants
    number = known["version"] + 1
    changed_part(monkeypatch, "objective", "adversarial", version=number,
                 changed={**known["changed"], number: {"smooth_real": "> 0"}})
    after = ids(tmp_path, noisy)
    assert {row for row in before if before[row] != after[row]} == {"noisy 0", "noisy 1"}


def test_a_new_option_says_what_runs_before_it_amount_to(tmp_path: Path) -> None:
    """RealNVP's bound was 2 before it was an option; its default is a half."""
    text = SUITE.replace("mine: {", "old: {model: {name: realnvp, scale_bound: 2.0}, train: "
                                    "likelihood}, now: {use: realnvp, model: {scale_bound: 0.5}}, "
                                    "mine: {")
    runs = {run.method: run for run in plan_of(text, "s", tmp_path).runs if run.seed == 0}
    raw = runs["old"].model_dump(mode="json")
    del raw["model"]["options"]["scale_bound"], raw["format"]
    stored = read_spec(raw)
    assert stored.model.options["scale_bound"] == 2.0
    assert stored.id == runs["old"].id
    assert "versions" not in runs["old"].identity()["model"]
    assert runs["now"].model.versions == {"realnvp": 2}
    # format 1 named no versions: who wrote the option had the version that brought it
    raw = runs["now"].model_dump(mode="json", exclude={"format": True, "model": {"versions"}})
    assert read_spec(raw).id == runs["now"].id


def test_a_former_spelling_is_read_and_keeps_the_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = SUITE.replace("gan: {}", "gan: {train: {adversarial: {smooth_real: 0.2}}}")
    stored = plan_of(text, "s", tmp_path).runs[0]
    written = text.replace("smooth_real", "softness")
    changed_part(monkeypatch, "objective", "adversarial", aliases={"softness": "smooth_real"})
    run = plan_of(written, "s", tmp_path).runs[0]
    assert run.stages[0].terms[0].objective.options["smooth_real"] == 0.2
    assert run.id == plan_of(text, "s", tmp_path).runs[0].id
    monkeypatch.setitem(describe("objective", "adversarial").constants, "aliases",
                        {"smooth_real": "softness"})  # as if `softness` were today's name
    [stage], [term] = stored.stages, stored.stages[0].terms
    options = {{"smooth_real": "softness"}.get(name, name): value
               for name, value in term.objective.options.items()}
    objective = term.objective.model_copy(update={"options": options})
    terms = [term.model_copy(update={"objective": objective})]
    renamed = stored.model_copy(update={"stages": [stage.model_copy(update={"terms": terms})]})
    assert renamed.id == stored.id


def test_a_former_spelling_goes_before_what_the_zoo_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = SUITE.replace("gan: {}", "wgan-gp: {train: {adversarial: {PENALTY: 3.0}}}")
    changed_part(monkeypatch, "objective", "adversarial", aliases={"pull": "penalty_weight"})
    changed_part(monkeypatch, "model", "mixture", aliases={"parts": "components"})
    new = plan_of(text.replace("PENALTY", "penalty_weight"), "s", tmp_path).runs
    old = plan_of(text.replace("PENALTY", "pull").replace("component:", "parts: 4, component:"),
                  "s", tmp_path).runs
    assert [run.id for run in old[:2]] == [run.id for run in new[:2]]
    assert old[0].stages[0].terms[0].objective.options["penalty_weight"] == 3.0
    assert old[2].model.options["components"] == 4
    with pytest.raises(SuiteError, match="unknown option 'pull'"):
        plan_of(text.replace("PENALTY: 3.0", "pull: 3.0, penalty_weight: 3.0"), "s", tmp_path)
    shown = json_schema.json_schema()["$defs"]["objective-adversarial"]["properties"]
    assert shown["pull"]["deprecated"]


def test_the_training_itself_has_a_version(tmp_path: Path) -> None:
    """Scores in bf16, and groups of parameters with more than a rate of their own."""
    text = SUITE.replace("gan: {}", """gan: {},
  half: {use: gan, precision: bf16}, flow: {use: nice, precision: bf16},
  rate: {use: nice, optimisers: {model.scale: {lr: 0.1}}},
  own: {use: nice, optimisers: {model.scale: {betas: [0.5, 0.9]}}}""")
    runs = {run.method: run for run in plan_of(text, "s", tmp_path).runs}
    assert {name: run.training for name, run in runs.items()} == {
        "gan": 1, "half": 2, "flow": 1, "rate": 1, "own": 3, "mine": 1,
    }
    assert "training" not in runs["gan"].identity()
    assert runs["half"].identity()["training"] == 2


def test_format_1_says_versions_and_hashes_in_one_word() -> None:
    """`v2.code+data`; a model of samples made elsewhere has their hash alone."""
    raw = {"suite": "s", "method": "m", "dataset": "d", "seed": 0, "stages": [],
           "model": {"name": "a.py:A", "source": "abc"},
           "data": {"name": "image_folder", "options": {"path": "p"}, "source": "v3.+0123"}}
    spec = read_spec(raw)
    assert (spec.model.source, spec.data.source, spec.data.contents) == ("abc", "", "0123")
    assert spec.data.versions == {"image_folder": 3}
    raw |= {"model": {"name": "external", "source": "feed"}, "data": {"name": "mnist"}}
    spec = read_spec(raw)
    assert (spec.model.source, spec.model.contents) == ("", "feed")
    assert spec.data.contents == published("MNIST/raw"), "known before a file is there"
    assert spec.format == 2


if __name__ == "__main__":
    then, now = read(), {part: entry_of(part) for part in [*PARTS, "training"]}
    wrong = [line for part in now for line in faults(part, then.get(part), now[part])]
    if wrong:
        sys.exit("\n".join(wrong))
    TABLE.write_text(json.dumps(now, indent=1, sort_keys=True) + "\n")
