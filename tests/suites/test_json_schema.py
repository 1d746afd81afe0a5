from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest

from genbench.lookup import available
from genbench.suites.json_schema import json_schema
from genbench.suites.yaml_source import parse, read
from genbench.suites.zoo import method_names, zoo_source

SHIPPED = sorted((Path(__file__).parents[2] / "suites").glob("*.yaml"))


@pytest.fixture(scope="module")
def validator() -> Any:
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_suites_are_valid(validator: Any, path: Path) -> None:
    assert [error.message for error in validator.iter_errors(read(path).data)] == []


@pytest.mark.parametrize("name", method_names())
def test_zoo_entries_are_valid_entries(validator: Any, name: str) -> None:
    suite = {"datasets": ["ring"], "evaluate": ["nll"], "methods": {name: zoo_source(name).data}}
    assert [error.message for error in validator.iter_errors(suite)] == []


BASE = "datasets: {ring: {modes: 3}}\nmethods: [gan]\nevaluate: [nll]\n"


@pytest.mark.parametrize(("old", "new", "good"), [
    ("ring: {modes: 3}", "ring: {modes: {grid: [3, 4]}}", True),
    ("ring: {modes: 3}", "mine: {use: ring, modes: 3, budget: {updates: 3}}", True),
    ("ring: {modes: 3}", "'x.py:Y': {anything: 3}", True),
    ("ring: {modes: 3}", "ring: {mods: 3}", False),
    ("ring: {modes: 3}", "mine: {use: ring, mods: 3}", False),
    ("ring: {modes: 3}", "ring: {use: grid, mods: 3}", False),
    ("ring: {modes: 3}", "ring: {modes: 0}", False),
    ("[gan]", "{a: {use: gan, train: {adversarial: {loss: hinge}}, ema: {grid: [0.9]}}}", True),
    ("[gan]", "{a: {use: gan, train: {adversarial: {loss: hinges}}}}", False),
    ("[gan]", "{a: {model: {name: nice, couplings: 3}, train: [likelihood]}}", True),
    ("[gan]", "{a: {model: {name: nice, coupling: 3}, train: [likelihood]}}", False),
    ("[gan]", "{a: {model: {couplings: 3}}}", True),
    ("[gan]", "{a: {optimiser: {lr: 0}}}", False),
    ("[gan]", "[gann]", False),
    ("[nll]", "[{nll_iw: {k: 3}}, 'a.py:B']", True),
    ("[nll]", "[{nll_iw: {j: 3}}]", False),
    ("[nll]", "[nll]\nseeds: [1, 2]", True),
    ("[nll]", "[nll]\nseeds: 0", False),
    ("[nll]", "[nll]\nsedes: 3", False),
    ("[nll]", "[nll]\nreport: {figures: [critic, 'a.py:B', {kind: density, title: a}]}", True),
    ("[nll]", "[nll]\nreport: {figures: [surface]}", False),
    ("[nll]", "[nll]\nreport: {figures: [{kind: 'a.py:B', title: a, mine: 3}]}", True),
    ("[nll]", "[nll]\nreport: {figures: [{kind: surface, title: a}]}", False),
    ("[nll]", "[nll]\nreport: {figures: [{kind: curves, title: a, terms: ['a: b']}]}", True),
    ("[nll]", "[nll]\nreport: {figures: [{kind: density, title: a, terms: ['a: b']}]}", False),
    ("[nll]", "[nll]\nreport: {figures: [{kind: sweep, title: a}]}", False),
    ("[nll]", "[nll]\nreport: {tables: [{published: {a: {nll: {value: 3}}}}]}", True),
])
def test_it_tells_good_from_bad(validator: Any, old: str, new: str, good: bool) -> None:
    data = parse(BASE.replace(old, new), "f.yaml").data
    assert validator.is_valid(data) is good


def test_every_part_and_option_is_described() -> None:
    schema = json_schema()
    for kind in ("model", "objective", "dataset", "metric"):
        for name in available(kind):
            properties = schema["$defs"][f"{kind}-{name}"]["properties"]
            for option, about in properties.items():
                if option not in ("use", "budget", "weight", "name"):
                    assert about["description"], f"{kind} {name}.{option}"
    for name, about in schema["properties"].items():
        assert about["description"], name
