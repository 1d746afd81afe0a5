"""Damaged run folders: noticed, said in one line, moved aside with --repair."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


def one(folder: Path, start: str) -> Path:
    return next(p for p in (folder / "results/tiny/runs").iterdir() if p.name.startswith(start))


def test_a_damaged_run_is_named_and_repaired(genbench, finished: Path) -> None:
    run = one(finished, "flow--ring--s1")
    others = {p.name: (p / "checksums.json").read_bytes() for p in run.parent.iterdir()
              if p.name[0] != "." and p != run}
    for name in ("metrics.json", "status.json", "curves.csv"):
        (run / name).write_text((run / name).read_text()[:-20])
        for words in (("run", "tiny.yaml"), ("report", "tiny.yaml"), ("run", "tiny.yaml",
                                                                     "--dry-run")):
            said = genbench(*words, check=2)
            assert name in said.stderr
            assert "--repair" in said.stderr
            assert "Traceback" not in said.stderr
        mended = genbench("run", "tiny.yaml", "--repair").stdout
        assert "1 run to do, 4 done before" in mended
        assert f"runs/.damaged/{run.name}" in mended
    assert others == {name: (run.parent / name / "checksums.json").read_bytes()
                      for name in others}


def test_a_flipped_byte_of_a_finished_run(genbench, finished: Path) -> None:
    run = one(finished, "flow--ring--s0")
    for name in ("checkpoint.safetensors", "samples.npz", "metrics.json"):
        raw = bytearray((run / name).read_bytes())
        raw[len(raw) // 2] ^= 1
        (run / name).write_bytes(raw)
        said = genbench("run", "tiny.yaml", check=2).stderr
        assert name in said
        assert "not those that were written" in said
        assert said.count("\n") == 1
        assert "1 run to do, 4 done before" in genbench("run", "tiny.yaml", "--repair").stdout


def test_a_truncated_checkpoint_of_an_unfinished_run(genbench, finished: Path) -> None:
    run = one(finished, "flow--ring--s0")
    (run / "checksums.json").unlink()
    status = json.loads((run / "status.json").read_text())
    (run / "status.json").write_text(json.dumps({**status, "state": "interrupted"}))
    whole = (run / "checkpoint.safetensors").read_bytes()
    (run / "checkpoint.safetensors").write_bytes(whole[: len(whole) // 2])
    said = genbench("run", "tiny.yaml", "--only", "flow*", check=3)
    assert "checkpoint.safetensors" in said.stdout
    assert "--repair" in said.stdout
    genbench("run", "tiny.yaml", "--only", "flow*", "--repair")
    assert (run / "checkpoint.safetensors").read_bytes() != whole[: len(whole) // 2]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 400 KiB, where one can be mounted."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", place], capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("mounting takes root")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def test_a_full_disk(genbench, small_disk: Path, folder: Path) -> None:
    genbench("run", "tiny.yaml", "--results", "disk", "--only", "real")
    before = {path: path.read_bytes() for path in small_disk.rglob("*") if path.is_file()}
    ballast = small_disk / "ballast"
    with pytest.raises(OSError, match="No space left"):
        ballast.write_bytes(bytes(2**20))
    said = genbench("run", "tiny.yaml", "--results", "disk", "--only", "gan*", check=None)
    assert said.returncode in (2, 3)
    assert "No space left on device" in said.stdout + said.stderr
    assert "Traceback" not in said.stdout + said.stderr
    assert before == {path: path.read_bytes() for path in before}
    ballast.unlink()
    subprocess.run(["mount", "-o", "remount,size=20m", small_disk], check=True)
    genbench("run", "tiny.yaml", "--results", "disk")


def test_an_unwritable_results_folder(genbench, folder: Path) -> None:
    (folder / "blocked").write_text("a file where a folder should be")
    said = genbench("run", "tiny.yaml", "--results", "blocked", check=2)
    assert "blocked" in said.stderr
    assert "--results" in said.stderr
    assert "Traceback" not in said.stderr
