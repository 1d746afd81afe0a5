"""What every method of the zoo obeys: it names what exists, and its first updates run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from genbench import lookup
from genbench.catalogue.listing import info
from genbench.fields import Optimiser
from genbench.noise import Noise
from genbench.suites.parts import lacking

ZOO = Path(lookup.__file__).parent / "zoo"
ENTRIES: dict[str, dict[str, Any]] = {
    path.stem: yaml.safe_load(path.read_text("utf-8")) for path in sorted(ZOO.glob("*.yaml"))
}
KEYS = {
    "title", "family", "summary", "formula", "cite", "model", "train", "stages", "optimiser",
    "optimisers", "ema", "scale", "dequantise", "precision", "compile", "budget", "published",
    "note",
}
FAMILIES = {"GAN", "flow", "mixture", "VAE", "diffusion", "classical", "hybrid"}
Term = tuple[str, float, dict[str, Any]]
pytestmark = pytest.mark.parametrize("name", ENTRIES)


def model_of(entry: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The model's name and options."""
    model = entry["model"]
    if isinstance(model, str):
        return model, {}
    return model["name"], {key: value for key, value in model.items() if key != "name"}


def stages_of(entry: dict[str, Any]) -> list[list[Term]]:
    """The terms (objective, weight, options) of each stage."""
    stages = entry.get("stages") or [{"train": entry["train"]}]
    return [list(terms(stage["train"])) for stage in stages]


def terms(train: Any) -> Iterator[Term]:
    """The terms of one `train`."""
    if isinstance(train, str):
        yield train, 1.0, {}
    elif isinstance(train, list):
        for part in train:
            yield from terms(part)
    else:
        for name, value in train.items():
            options = dict(value) if isinstance(value, dict) else {"weight": value}
            yield name, float(options.pop("weight", 1.0)), options


def test_it_says_what_it_is(name: str) -> None:
    entry = ENTRIES[name]
    assert set(entry) <= KEYS
    for key in ("title", "family", "summary", "formula", "cite"):
        assert isinstance(entry.get(key), str), key
        assert entry[key].strip(), key
    assert entry["family"] in FAMILIES
    assert entry["summary"].endswith(".")
    assert "\n" not in entry["summary"].strip()
    assert max(map(len, entry["formula"].splitlines())) <= 99


def test_its_settings_are_the_published_ones_or_a_note_says_what_differs(name: str) -> None:
    published, note = ENTRIES[name].get("published", False), ENTRIES[name].get("note", "")
    assert published is not bool(note)
    if note:
        assert note.strip().endswith(".")
        assert len(note.split()) >= 8, "what differs, and why"
        assert len(" ".join(note.split())) <= 300, "three lines"
    said = " ".join(info(name, "method").split())
    assert ("settings: as published" if published else " ".join(note.split())) in said


def test_it_names_parts_and_options_that_exist(name: str) -> None:
    entry = ENTRIES[name]
    model, options = model_of(entry)
    component = lookup.describe("model", model)
    lookup.options_model(component)(**options)
    players: set[str] = set()
    for stage in stages_of(entry):
        assert stage
        for objective, _, settings in stage:
            part = lookup.describe("objective", objective)
            lookup.options_model(part)(**settings)
            assert not lacking(part, component)
            players |= set(part.constants.get("plays", ("model",)))
    Optimiser(**entry.get("optimiser", {}))
    for player, settings in entry.get("optimisers", {}).items():
        Optimiser(**settings)
        assert player.split(".")[0] in players
    assert entry.get("budget", {}).keys() <= {"batch"}


@pytest.mark.sweep("kind")
@pytest.mark.parametrize("kind", ["points", "images", "convolutions"])
def test_its_first_updates_run(laws: Any, name: str, kind: str) -> None:
    entry = ENTRIES[name]
    model_name, options = model_of(entry)
    if kind == "convolutions":
        networks = [o for o in lookup.describe("model", model_name).options if o.name == "network"]
        if not networks or "dcgan" not in networks[0].annotation:
            pytest.skip(f"{model_name} has no choice of convolutions")
        kind, options = "images", {**options, "network": "dcgan", "channels": 4}
    accepts = lookup.describe("model", model_name).constants.get("accepts", ("points", "images"))
    if kind not in accepts:
        pytest.skip(f"{model_name} is for {', '.join(accepts)}")
    bench = laws.bench(model_name, kind, options)
    if "scale" in entry or "dequantise" in entry:
        scale = entry.get("scale", bench.scaling.scale)
        fitting = ("raw", "standard") if kind == "points" else ("unit", "symmetric", "logit")
        if scale not in fitting:
            pytest.skip(f"scale: {scale} is not for {kind}")
        bench = laws.Bench(kind, scale, entry.get("dequantise", bench.scaling.dequantise))
    model = laws.model(model_name, bench, options).train()
    for number, stage in enumerate(stages_of(entry)):
        built = [(w, laws.objective(o, model, settings)) for o, w, settings in stage]
        for _, objective in built:
            objective.prepare(model, bench.draw, Noise(5))
        players = list(dict.fromkeys(p for _, o in built for p in o.plays))
        for update in range(20):
            for player in players:
                noise = Noise(number).child(update, player)
                loss = laws.move(player, built, model, bench, noise)
                assert torch.tensor(loss).isfinite()
    model.eval()
    with torch.no_grad():
        assert model.generate(4, Noise(0), laws.context(model, 4)).isfinite().all()
