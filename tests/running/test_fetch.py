"""`genbench fetch`, `--offline` and `genbench doctor` where something is missing."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest
from PIL import Image

FACES = """\
title: Faces
datasets: {faces: {use: image_folder, path: faces}}
seeds: 1
budget: {updates: 2, batch: 4}
methods:
  gan: {}
protocol: {samples: 4, sets: 1}
evaluate: [fid]
"""


@pytest.fixture
def nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without a cache, and no network: every proxy is a door that is shut."""
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("HOME", str(folder / "home"))
    monkeypatch.setenv("TORCH_HOME", str(folder / "home"))
    monkeypatch.setenv("GENBENCH_CACHE", str(folder / "cache"))
    monkeypatch.delenv("GENBENCH_DATA", raising=False)
    (folder / "data" / "faces").mkdir(parents=True)
    for number in range(20):
        image = Image.effect_noise((16, 16), 60).convert("RGB")
        image.save(folder / f"data/faces/{number}.png")
    (folder / "faces.yaml").write_text(FACES)
    return folder


def test_offline_fails_at_once_and_names_the_command(genbench, nothing: Path) -> None:
    text = FACES.replace("faces: {use: image_folder, path: faces}", "mnist: {}")
    (nothing / "mnist.yaml").write_text(text)
    done = genbench("run", "mnist.yaml", "--offline", "--data", "data", check=2)
    assert "train-images-idx3-ubyte" in done.stderr
    assert "genbench fetch" in done.stderr
    done = genbench("run", "faces.yaml", "--offline", "--data", "data", check=2)
    assert "no Inception weights" in done.stderr
    assert "genbench fetch" in done.stderr
    assert not list(nothing.glob("results/faces/runs/gan*"))  # nothing was trained in vain


def test_fetch_without_a_network_says_what_is_missing(genbench, nothing: Path) -> None:
    done = genbench("fetch", "faces.yaml", "--data", "data", check=2)
    assert "no Inception weights" in done.stderr
    assert done.stderr.count("\n") == 1


def test_fetch_makes_the_folder_that_it_brings_data_to(genbench, nothing: Path) -> None:
    text = FACES.replace("faces: {use: image_folder, path: faces}", "mnist: {}")
    (nothing / "mnist.yaml").write_text(text)
    done = genbench("fetch", "mnist.yaml", "--offline", "--data", "new/place", check=2)
    assert "train-images-idx3-ubyte" in done.stderr
    assert (nothing / "new/place").is_dir()
    done = genbench("fetch", "mnist.yaml", "--data", "mnist.yaml/place", check=2)
    assert done.stderr == "error: --data mnist.yaml/place: cannot make it: Not a directory\n"
    done = genbench("run", "mnist.yaml", "--data", "newer", check=2)
    assert done.stderr == "error: --data newer: there is no such folder\n"


def test_fetch_lists_what_a_suite_needs_with_its_hashes(genbench, folder: Path) -> None:
    text = FACES.replace("faces: {use: image_folder, path: faces}", "digits: {}")
    (folder / "small.yaml").write_text(text.replace("[fid]", "[fid, memorisation]"))
    done = genbench("fetch", "small.yaml")
    *lines, last = done.stdout.splitlines()
    assert "everything is here" in last
    assert {line.split()[2] for line in lines} == {"weights", "statistics"}
    for line in lines:
        sha256, size, _, path = line.split()
        content = Path(path).read_bytes()
        assert sha256 == hashlib.sha256(content).hexdigest()
        assert int(size.replace(",", "")) == len(content)
    before = {path: path.stat().st_mtime_ns for path in map(Path, [x.split()[3] for x in lines])}
    genbench("run", "small.yaml", "--offline")
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_doctor(genbench, nothing: Path) -> None:
    found = {one["what"]: one for one in json.loads(genbench("doctor", "--json").stdout)}
    assert found["equal bits: cpu"]["state"] == "ok"
    assert found["dataset mnist"]["state"] == "missing"
    assert found["Inception weights"]["state"] == "missing"
    assert "torch" in found["versions"]["found"]
    assert "dataset digits" not in found  # it needs no files
    assert "equal bits: cpu" in genbench("doctor").stdout
    if os.geteuid():  # root writes anywhere
        (nothing / "results").mkdir(mode=0o500)
        genbench("doctor", check=1)
