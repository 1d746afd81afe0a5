"""Data decide a run as options do: other data are other runs, and say so."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from genbench.data.ring import Ring
from genbench.errors import DataError
from genbench.lookup import describe
from genbench.running.build import _load_data, component_class, load_data
from genbench.suites.contents import datasets_of
from genbench.suites.expand import load_plan, plan_of

SUITE = """\
datasets: {pics: {use: image_folder, path: pics}}
seeds: 1
budget: {updates: 5, batch: 8}
methods: {gaussian-mixture: {model: {components: 1, covariance: diag}}}
evaluate: [nll]
protocol: {sets: 1}
"""
OURS = '''\
import numpy as np
import torch
from genbench.data.base import Data, Dataset, Split
from genbench.fields import ClassVar

class Ours(Dataset):
    """Points of a file that only this code knows of."""
    kind: ClassVar = "points"

    def load(self, root, *, offline=False):
        x = torch.from_numpy(np.load(root / "points.npy"))
        return Data("points", (2,), Split(x[:50]), Split(x[50:]), fingerprint="always the same")
'''


def paint(folder: Path, top: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(1)
    for index in range(30):
        picture = rng.integers(0, top, (8, 8), dtype=np.uint8)
        Image.fromarray(picture).save(folder / f"{index}.png")


def numbers(table: str) -> dict[str, float]:
    """Seed → NLL of the fitted row."""
    return {row["seed"]: float(row["value"]) for row in csv.DictReader(table.splitlines())
            if row["metric"] == "nll" and row["value"]}


def test_other_files_under_the_same_path(genbench, folder: Path) -> None:
    (folder / "s.yaml").write_text(SUITE)
    paint(folder / "A/pics", 40)
    paint(folder / "B/pics", 256)
    first = genbench("run", "s.yaml", "--data", "A")
    assert "changed" not in first.stderr
    dark = numbers(genbench("table", "s.yaml").stdout)
    second = genbench("run", "s.yaml", "--data", "B", "--seeds", "2")
    assert "the data of 'pics' changed since the last run" in second.stderr
    assert "3 runs to do" in second.stdout
    bright = numbers(genbench("table", "s.yaml", "--seeds", "2").stdout)
    assert set(bright) == {"0", "1"}
    assert all(value > dark["0"] + 50 for value in bright.values())
    # and back: nothing was lost, nothing is trained
    back = genbench("run", "s.yaml", "--data", "A")
    assert "changed" in back.stderr
    assert "all 2 runs are done" in back.stdout
    (folder / "A").rename(folder / "away")
    assert numbers(genbench("table", "s.yaml").stdout) == dark  # without any data
    assert "2 finished, 0 to do" in genbench("run", "s.yaml", "--dry-run").stdout
    (folder / "results/s/runs/.data.json").unlink()
    said = genbench("table", "s.yaml", check=2).stderr
    assert "made of 2 different data" in said


def test_one_folder_is_one_run_however_it_is_written(genbench, folder: Path) -> None:
    paint(folder / "data/pics", 40)
    (folder / "s.yaml").write_text(SUITE)
    genbench("run", "s.yaml", "--data", "data")
    (folder / "s.yaml").write_text(SUITE.replace("path: pics", f"path: '{folder}/data/pics/'"))
    assert "all 2 runs are done" in genbench("run", "s.yaml", "--data", "data").stdout
    assert numbers(genbench("table", "s.yaml").stdout)  # which knows of no --data
    [run] = folder.glob("results/s/runs/gaussian-mixture--*")
    assert "genbench run s.yaml --only" in genbench("show", run.name).stdout


def test_a_home_that_there_is_not_is_a_folder_that_there_is_not(genbench, folder: Path) -> None:
    (folder / "s.yaml").write_text(SUITE.replace("path: pics", "path: ~nobody-here/pics"))
    done = genbench("run", "s.yaml", "--data", ".", check=2)
    assert "~nobody-here/pics: no such folder" in done.stderr
    assert "Traceback" not in done.stderr


def test_data_that_only_a_plug_in_knows_of(genbench, folder: Path) -> None:
    (folder / "ours.py").write_text(OURS)
    (folder / "p.yaml").write_text(
        SUITE.replace("image_folder, path: pics", "'ours.py:Ours'").replace("gaussian-mixture: {"
        "model: {components: 1, covariance: diag}}", "nice: {}"))
    points = np.random.default_rng(0).normal(size=(200, 2)).astype(np.float32)
    np.save(folder / "points.npy", points)
    genbench("run", "p.yaml", "--data", ".")
    assert "all 2 runs are done" in genbench("run", "p.yaml", "--data", ".").stdout
    np.save(folder / "points.npy", points * 3)
    again = genbench("run", "p.yaml", "--data", ".", "--dry-run")
    assert "changed since the last run" in again.stderr
    assert "2 to do" in again.stdout


@pytest.mark.parametrize(("name", "stored"), [
    ("binary_mnist", "af705457"), ("cifar10", "8f1ac907"), ("digits", "28810224"),
    ("fashion_mnist", "048ffcf7"), ("gaussians", "08839890"), ("grid", "a1c2b990"),
    ("mnist", "e3764429"), ("ring", "87e70eab"), ("segment", "f9ce5c04"),
    ("stacked_mnist", "352efc85"), ("swiss_roll", "03d2a8d4"), ("two_moons", "44afca43"),
])
def test_a_later_version_of_a_data_set_is_another_run_and_the_first_is_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, stored: str
) -> None:
    text = (f"datasets: {{{name}: {{}}}}\nseeds: 1\nbudget: {{updates: 1}}\n"
            "methods: {nice: {}}\nevaluate: [memorisation]\n")
    first = plan_of(text, "s", tmp_path)
    assert first.runs[0].id == f"real--{name}--s0--{stored}"
    monkeypatch.setitem(describe("dataset", name).constants, "version", 2)
    second = plan_of(text, "s", tmp_path)
    assert not {run.id for run in first.runs} & {run.id for run in second.runs}
    assert datasets_of(first).keys().isdisjoint(datasets_of(second))


def test_a_later_version_of_a_model_is_another_run_and_no_code_of_the_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = ("datasets: {ring: {}}\nseeds: 1\nbudget: {updates: 1}\nreal: false\nmethods:\n"
            "  nice: {}\n  mixflow: {model: {components: 2, component: nice}}\n"
            "evaluate: [nll]\n")
    first = plan_of(text, "s", tmp_path)
    monkeypatch.setitem(describe("model", "nice").constants, "version", 2)
    monkeypatch.setitem(describe("dataset", "ring").constants, "version", 3)
    second = plan_of(text, "s", tmp_path)
    assert not {run.id for run in first.runs} & {run.id for run in second.runs}
    for run in second.runs:
        assert run.model.versions == {"nice": 2}
        assert not run.outside
        component_class("model", run.model, run.folder)
        component_class("dataset", run.data, run.folder)


def test_a_later_version_stands_in_the_stored_fingerprint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cpu = torch.device("cpu")
    run = plan_of(SUITE.replace("pics: {use: image_folder, path: pics}", "ring"), "s",
                  tmp_path).runs[0]
    before = load_data(run, tmp_path, cpu, offline=True).fingerprint
    monkeypatch.setattr(Ring, "version", 2)
    _load_data.cache_clear()
    assert load_data(run, tmp_path, cpu, offline=True).fingerprint == f"{before}-v2"
    _load_data.cache_clear()


def test_the_data_of_every_run_stand_in_its_provenance(finished: Path) -> None:
    held = {json.loads(path.read_text())["data"]
            for path in finished.glob("results/tiny/runs/*/provenance.json")}
    assert len(held) == 1
    assert all(held)


def test_altered_files_of_a_published_set_are_another_set_and_say_so(
    genbench, folder: Path
) -> None:
    (folder / "s.yaml").write_text(SUITE.replace("pics: {use: image_folder, path: pics}", "mnist"))
    before = genbench("run", "s.yaml", "--dry-run", "--data", ".").stdout
    raw = folder / "MNIST/raw"
    raw.mkdir(parents=True)
    for part in ("train", "t10k"):
        for what in ("images-idx3-ubyte", "labels-idx1-ubyte"):
            (raw / f"{part}-{what}").write_bytes(b"altered")
    after = genbench("run", "s.yaml", "--dry-run", "--data", ".")
    assert "the files of 'mnist' below MNIST/raw are not the published ones" in after.stderr
    assert after.stdout != before


def test_altered_files_of_a_published_set_can_be_loaded_where_nothing_was_planned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `eval` and `fetch` load them, which have no plan that was made of the data."""
    monkeypatch.setenv("GENBENCH_CACHE", str(tmp_path / "cache"))
    (tmp_path / "s.yaml").write_text(
        SUITE.replace("pics: {use: image_folder, path: pics}", "mnist")
    )
    raw = tmp_path / "MNIST/raw"
    raw.mkdir(parents=True)
    for part, count in (("train", 60_000), ("t10k", 10_000)):
        for what, shape in (("images-idx3-ubyte", (count, 28, 28)),
                            ("labels-idx1-ubyte", (count,))):
            head = bytes([0, 0, 8, len(shape)]) + b"".join(n.to_bytes(4, "big") for n in shape)
            (raw / f"{part}-{what}").write_bytes(head + bytes(math.prod(shape)))
    planned = load_plan(tmp_path / "s.yaml").runs[0]
    run = planned.model_copy(update={"data": planned.data.holding("")})
    data = load_data(run, tmp_path, torch.device("cpu"), offline=True)
    assert data.shape == (1, 28, 28)
    _load_data.cache_clear()
    with pytest.raises(DataError, match="changed since the run was planned"):
        load_data(planned, tmp_path, torch.device("cpu"), offline=True)
