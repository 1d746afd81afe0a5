"""Damaged run folders: noticed, said in one line, moved aside with --repair."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from genbench.errors import StoreError, Unwritable
from genbench.running.cell import run_cell
from genbench.running.checkpoint import dump_checkpoint, load_checkpoint
from genbench.running.executors.base import Context, Job
from genbench.store.holder import hold
from genbench.store.runs import RunWriter, Store
from genbench.suites.expand import load_plan


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
    assert (run / "checkpoint.safetensors").read_bytes() == whole


def test_a_flipped_bit_of_an_unfinished_run_and_a_checkpoint_of_another_version(
    finished: Path,
) -> None:
    """No seal guards it: it would be trained on."""
    run = one(finished, "flow--ring--s0")
    store = Store(run.parents[1])
    (run / "checksums.json").unlink()
    path = run / "checkpoint.safetensors"
    whole = path.read_bytes()
    start = 8 + int.from_bytes(whole[:8], "little")
    told = whole.index(b"update", 8)
    for place in (start, len(whole) - 3, told + len(b'update\\": ')):
        raw = bytearray(whole)
        raw[place] ^= 1
        path.write_bytes(raw)
        with pytest.raises(StoreError, match=r"checkpoint\.safetensors is damaged"):
            load_checkpoint(path)
        assert list(store.damaged()) == [run.name]  # --repair moves it aside
    path.write_bytes(whole)
    tensors, meta = load_checkpoint(path)
    meta.pop("sum")
    assert dump_checkpoint(tensors, meta) == whole
    # one whose parts had other names
    tensors = {key.replace("model.", "modell."): value for key, value in tensors.items()}
    path.write_bytes(dump_checkpoint(tensors, meta))
    [spec] = [spec for spec in load_plan(finished / "tiny.yaml").runs if spec.id == run.name]
    state, reason = run_cell(Job(spec, Context(store.root, finished, finished)), Silent())
    assert state == "failed"
    assert "does not fit what is built now" in reason
    assert "\n" not in reason


def test_a_finished_run_stays_finished_where_new_numbers_find_no_room(
    finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = one(finished, "flow--ring--s0")
    before = json.loads((run / "metrics.json").read_text())
    suite = finished / "tiny.yaml"
    suite.write_text(suite.read_text().replace("evaluate: [", "evaluate: [sliced_wasserstein, "))
    [spec] = [spec for spec in load_plan(suite).runs if spec.id == run.name]
    store = Store(run.parents[1])

    def full(*_: object) -> None:
        raise Unwritable("no space left")

    for write in ("write_samples", "write_metrics"):
        monkeypatch.setattr(RunWriter, write, full)
        job = Job(spec, Context(store.root, finished, finished))
        assert run_cell(job, Silent()) == ("failed", "no space left; its earlier numbers stay")
        monkeypatch.undo()
        store.run(run.name).verify()
        assert store.run(run.name).record().status.state == "done"
        assert json.loads((run / "metrics.json").read_text()) == before


class Silent:
    """A runner that wants nothing."""

    def progress(self, update: int, losses: object) -> None: ...
    def evaluating(self, step: str = "", share: float = 0.0) -> None: ...
    def stopping(self) -> bool:
        return False


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


@pytest.mark.parametrize("note", [b"\xff\xfe", b"\0", b"../" * 2000])
def test_a_folders_note_of_whose_it_is_may_hold_anything(finished: Path, note: bytes) -> None:
    (finished / "results/tiny/suite.txt").write_bytes(note)
    hold(finished / "results/tiny", finished / "tiny.yaml")
    assert (finished / "results/tiny/suite.txt").read_text() == "../../tiny.yaml\n"


def test_an_unwritable_results_folder(genbench, folder: Path) -> None:
    (folder / "blocked").write_text("a file where a folder should be")
    said = genbench("run", "tiny.yaml", "--results", "blocked", check=2)
    assert "blocked" in said.stderr
    assert "--results" in said.stderr
    assert "Traceback" not in said.stderr
