"""Every method of the zoo, trained and measured by the real command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from genbench.lookup import describe
from genbench.suites.zoo import method_names, zoo_source

METRICS = [
    "nll", "inception_score", "mode_coverage", "critic_loss", "critic_weights", "code_purity",
    "code_information", "class_accuracy", "inverse_consistency", "reconstruction",
    "live_components", {"emd": {"size": 100}},
]


def rows() -> dict[str, dict[str, list[str]]]:
    """Every method, on the data that it is for."""
    found = {}
    for name in method_names():
        entry = zoo_source(name).data
        model = entry["model"]
        about = describe("model", model if isinstance(model, str) else model["name"]).constants
        labelled = about.get("conditional", False) or name == "infogan-semi"
        fits = ["digits"] if labelled or about.get("accepts") == ("images",) else [
            "ring", "digits"
        ]
        if entry.get("scale") == "raw":
            fits = ["ring"]
        found[name] = {"datasets": fits}
    return found


@pytest.mark.slow
def test_twenty_updates_of_everything(genbench, folder: Path) -> None:
    suite = {
        "title": "Zoo", "datasets": ["ring", "digits"], "seeds": 1,
        "budget": {"updates": 20, "batch": 32}, "methods": rows(), "evaluate": METRICS,
        "protocol": {"samples": 200, "sets": 1},
    }
    (folder / "zoo.yaml").write_text(yaml.safe_dump(suite, sort_keys=False))
    done = genbench("run", "zoo.yaml", "--workers", "2", timeout=1500)
    states = {
        path.name: json.loads((path / "status.json").read_text())["state"]
        for path in (folder / "results/zoo/runs").glob("[!.]*")
    }
    assert len(states) > 80
    assert set(states.values()) == {"done"}, [n for n, s in states.items() if s != "done"]
    assert "failed" not in done.stderr
