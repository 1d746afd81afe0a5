from __future__ import annotations

import json
import subprocess
import sys

from genbench.store.provenance import append_provenance, provenance, provenance_history


def test_it_is_json_and_names_versions(monkeypatch):
    monkeypatch.setattr(sys, "argv", [
        "/opt/venv/bin/genbench", "run", "suites/a.yaml", "--data", "/home/me/data",
        "--results=/home/me/results",
    ])
    found = provenance("cpu", 2)
    text = json.dumps(found)
    assert found["command"] == "genbench run suites/a.yaml --data data --results=results"
    assert "/home/me" not in text
    assert found["versions"]["python"].startswith("3.")
    assert found["versions"]["numpy"]
    assert (found["device"], found["threads"]) == ("cpu", 2)
    assert found["cpu"]


def test_it_costs_no_torch():
    code = "import sys, genbench.store.provenance as p; p.provenance('cpu', 1); " \
           "assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_who_takes_a_run_on_keeps_what_stood_there():
    first, second = provenance("cpu", 1), provenance("cuda (H200)", 1)
    assert append_provenance({}, first) == first
    assert append_provenance(first, first) == first
    both = append_provenance(first, second)
    assert {name: both[name] for name in second} == second
    assert provenance_history(both) == [first, second]
    assert provenance_history(append_provenance(both, second)) == [first, second]
    assert provenance_history(append_provenance(both, first)) == [second, first]
    assert provenance_history({}) == []
