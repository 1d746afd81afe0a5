"""A store that format 1 knew (made by commit bdb3eb1) is read, migrated and not trained anew.

`format_1.tar.xz` is that store, without the points' samples, which no number is made of; `FOLDER`
stands for where its suite lay.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

import genbench as gb
from genbench.errors import StoreError, Unwritable
from genbench.running.contents import present
from genbench.running.migrate import Moved, migrate, retrained
from genbench.running.session import plan_status
from genbench.store.migration import Migration
from genbench.store.runs import Store
from genbench.suites.expand import load_plan

STORE = Path(__file__).with_name("format_1.tar.xz")
SAME = {"gan--ring--s0", "gm--ring--s0", "nice--ring--s0", "real--ring--s0", "bounded--ring--s0"}
TRUSTED = {"gm--pics--s0", "gm--own--s0", "real--pics--s0", "real--own--s0"}
CHANGED = {"mmd--ring--s0", "minibatch--ring--s0"}


@pytest.fixture
def old(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The results of the store, in a working folder with its suite, its plug-in and its data."""
    with tarfile.open(STORE) as archive:
        archive.extractall(folder, filter="data")
    runs = folder / "results/old/runs"
    runs.parent.mkdir(parents=True)
    (folder / "runs").rename(runs)
    for run in runs.iterdir():
        spec = run / "spec.yaml"
        text = spec.read_text().replace("FOLDER", str(folder)).encode()
        spec.write_bytes(text)
        seal = json.loads((run / "checksums.json").read_text())
        seal["files"]["spec.yaml"] = {"bytes": len(text),
                                      "sha256": hashlib.sha256(text).hexdigest()}
        (run / "checksums.json").write_text(json.dumps(seal))
    monkeypatch.chdir(folder)
    monkeypatch.setenv("GENBENCH_CACHE", str(folder / "cache"))
    return folder / "results"


def rows(names: Iterator[str] | list[str]) -> set[str]:
    return {name.rpartition("--")[0] for name in names}


def stored(results: Path) -> dict[str, dict[str, bytes]]:
    """Row → what its run's files hold, but for the note of a migration."""
    return {
        path.name.rpartition("--")[0]: {
            file.name: file.read_bytes() for file in path.iterdir()
            if file.name != "migrated.json"
        }
        for path in (results / "old/runs").iterdir() if path.name[0] != "."
    }


def done(results: Path) -> set[str]:
    """The rows of which `genbench run` would train nothing."""
    store = Store(results / "old")
    plan = present(load_plan("old.yaml"), store, Path("data"), offline=True).plan
    return rows([spec.id for spec in plan_status(plan, store).finished])


def test_it_is_migrated_as_a_user_does_it(genbench, old: Path) -> None:
    before = stored(old)
    first = genbench("migrate", "--data", "data").stdout
    assert "5 renamed, 6 stay" in first
    assert "version 1 of objective 'mmd', and this genbench has version 2" in first
    assert "version 1 of objective 'adversarial'" in first
    assert "no hash is stored of the data of 'pics'; --trust-data takes those of today" in first
    trusted = genbench("migrate", "results", "--data", "data", "--trust-data").stdout
    assert "4 renamed, 2 stay" in trusted
    assert stored(old) == before, "not a byte of a run"
    again = genbench("migrate", "results/old", "--data", "data", "--trust-data").stdout
    assert "2 stay" in again
    assert "renamed" not in again
    dry = genbench("run", "old.yaml", "--data", "data", "--dry-run").stdout
    queued = {line.split()[-1] for line in dry.splitlines() if line.startswith("queued")}
    assert rows(list(queued)) == {*CHANGED, "bounded--ring--s0"}, "its bound was 2 then"
    ran = genbench("run", "old.yaml", "--data", "data", "--offline").stdout
    assert "3 runs to do, 8 done before" in ran
    after = stored(old)
    for row in (SAME | TRUSTED) - {"bounded--ring--s0"}:
        assert after[row] == before[row], row


def test_a_folder_without_runs_is_told(genbench, folder: Path) -> None:
    (folder / "results").mkdir()
    assert "there are no runs below results" in genbench("migrate", check=2).stderr
    assert "there are no runs below gone" in genbench("migrate", "gone", check=2).stderr


def test_it_is_read_as_it_is(genbench, old: Path) -> None:
    assert done(old) == SAME - {"bounded--ring--s0"}
    dry = genbench("run", "old.yaml", "--data", "data", "--dry-run").stdout
    assert "11 of the runs are stored under ids of an earlier genbench; `genbench migrate`" in dry
    name = next(path.name for path in (old / "old/runs").iterdir() if path.name[:3] == "gan")
    table = genbench("table", "old.yaml").stdout
    value = json.loads((old / "old/runs" / name / "metrics.json").read_text())["measurements"][0]
    assert value["status"] == "skipped"
    line = next(line for line in table.splitlines() if ",nice,ring," in line)
    path = next(path for path in (old / "old/runs").iterdir() if path.name[:4] == "nice")
    number = json.loads((path / "metrics.json").read_text())["measurements"][0]["value"]
    assert repr(number) in line
    genbench("report", "old.yaml")
    assert f"{number:.2f}"[:3] in (old / "old/working/report.md").read_text()
    shown = json.loads(genbench("show", name, "--json").stdout)
    assert shown["run"] == name
    assert "genbench run old.yaml --only gan--ring--s0--" in shown["repeat"]


def test_its_models_are_loaded_as_they_were(old: Path) -> None:
    """RealNVP's bound was 2, and nothing of the run says so."""
    run = gb.load("bounded", results=old)
    assert run.spec.model.options["scale_bound"] == 2.0
    x = run.sample(50)
    assert np.isfinite(x).all()
    for row in (*CHANGED, "gan"):
        assert gb.load(row, results=old).sample(5).shape == (5, 2)


def moved(results: Path, *, trust: bool = False) -> list[Moved]:
    return list(migrate(results, Path("data"), trust_data=trust))


def test_stopped_anywhere_it_goes_on(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = stored(old)
    steps = [(target, late) for target in ("write", "rename") for late in (False, True)]
    for target, late in steps * 2:
        with monkeypatch.context() as patch:
            _stop(patch, target, late)
            with pytest.raises(KeyboardInterrupt):
                moved(old)
        assert stored(old) == before
        names = [path.name for path in (old / "old/runs").iterdir() if path.name[0] != "."]
        assert len(names) == len(before), "each run is there once"
    moved(old)
    assert stored(old) == before
    assert done(old) == SAME - {"bounded--ring--s0"}
    assert all(one.why for one in moved(old))


def _stop(patch: pytest.MonkeyPatch, target: str, late: bool) -> None:
    """Have the migration be stopped at its next note or rename."""
    owner, name = (Migration, "write") if target == "write" else (
        __import__("genbench.store.runs", fromlist=["os"]).os, "rename")
    real = getattr(owner, name)

    def stop(*given: object) -> None:
        if late:
            real(*given)
        raise KeyboardInterrupt

    patch.setattr(owner, name, stop)


def test_a_run_that_a_runner_has_is_left_alone(old: Path) -> None:
    runs = old / "old/runs"
    name = next(path.name for path in runs.iterdir() if path.name.startswith("gan"))
    spec = Store(old / "old").run(name).spec()
    (runs / ".locks").mkdir()
    for locked in (name, spec.id):
        with FileLock(runs / ".locks" / f"{locked}.lock"):
            [one] = [one for one in moved(old) if one.before == name]
        assert "a runner works on" in one.why
        assert (runs / name).is_dir()
    [one] = [one for one in moved(old) if one.before == name]
    assert one.now == spec.id


def test_a_second_migration_waits_for_the_first(old: Path) -> None:
    (old / "old/runs/.locks").mkdir()
    found: list[Moved] = []
    with FileLock(old / "old/runs/.locks/migrate.lock"):
        second = threading.Thread(target=lambda: found.extend(moved(old)))
        second.start()
        second.join(0.3)
        assert second.is_alive()
        assert found == []
    second.join(60)
    assert len([one for one in found if not one.why]) == 5


def test_a_folder_that_cannot_be_written_is_no_damage(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = stored(old)
    monkeypatch.setattr("tempfile.TemporaryFile", read_only)
    line = r"cannot rename runs in .*old/runs: Read-only file system \(errno 30\); nothing"
    with pytest.raises(Unwritable, match=line):
        moved(old)
    assert stored(old) == before
    monkeypatch.undo()
    moved(old)
    monkeypatch.setattr("tempfile.TemporaryFile", read_only)
    assert all(one.why for one in moved(old)), "nothing is left to rename"


def read_only(**options: object) -> None:
    raise OSError(errno.EROFS, os.strerror(errno.EROFS))


def test_rows_that_are_asked_for_otherwise_are_told(old: Path) -> None:
    suite = Path("old.yaml")
    moved(old)
    text = suite.read_text()
    lines = retrained(old)
    row = "old: `genbench run` retrains {} on ring: the suite asks for other settings now ({})"
    bound = "model.options.scale_bound: 2.0 → 0.5; model.versions.realnvp: nothing → 2"
    assert [line for line in lines if "bounded" in line] == [row.format("bounded", bound)]
    assert not [line for line in lines if "nice" in line or "gan" in line]
    suite.write_text(text.replace("budget: {", "precision: bf16\nbudget: {"))
    nice = row.format("nice", 'precision: "fp32" → "bf16"')
    assert nice in gb.migrate(old, data="data").retrained
    suite.unlink()
    [unknown] = retrained(old)
    assert unknown.startswith("old: what `genbench run` retrains is not known (no suite 'old'")


def test_a_runner_and_a_migration_never_have_one_run(old: Path) -> None:
    """Who claims today's id has the old folder, and who waited for it the one of today."""
    store = Store(old / "old")
    path = next(path for path in (old / "old/runs").iterdir() if path.name.startswith("gan"))
    now = store.run(path.name).spec().id
    (store.runs_folder / ".locks").mkdir()
    with store.claim(now) as held:
        assert held is not None
        assert held.folder.path == path
        assert store.rename(path.name, now, Migration(path.name)) == "a runner works on it"
    found: list[Path] = []

    def wait() -> None:
        with Store(old / "old").claim(now, timeout=20) as held:
            assert held is not None
            found.append(held.folder.path)

    with FileLock(store.runs_folder / ".locks" / f"{path.name}.lock"):
        waiting = threading.Thread(target=wait)
        waiting.start()
        waiting.join(0.3)
        path.rename(path.with_name(now))
    waiting.join(20)
    assert found == [path.with_name(now)]


def test_a_damaged_run_is_told_and_stays(genbench, old: Path) -> None:
    path = next(path for path in (old / "old/runs").iterdir() if path.name.startswith("nice"))
    raw = bytearray((path / "checkpoint.safetensors").read_bytes())
    raw[-1] ^= 1
    (path / "checkpoint.safetensors").write_bytes(bytes(raw))
    said = genbench("migrate", "--data", "data", check=3).stdout
    assert f"old: {path.name} stays: " in said
    assert "checkpoint.safetensors is damaged" in said
    assert "4 renamed, 6 stay, 1 damaged" in said
    assert path.is_dir()


def test_a_run_whose_id_of_today_is_taken_stays(old: Path) -> None:
    path = next(path for path in (old / "old/runs").iterdir() if path.name.startswith("gan"))
    now = Store(old / "old").run(path.name).spec().id
    path.with_name(now).mkdir()
    [one] = [one for one in moved(old) if one.before == path.name]
    assert one.why == f"there is {now} already"
    assert path.is_dir()


def test_other_code_is_not_taken_on_trust(old: Path) -> None:
    with Path("ours.py").open("a") as file:
        file.write("# edited since\n")
    whys = {one.before.split("--")[1]: one.why for one in moved(old, trust=True)}
    assert "the code of dataset 'ours.py:Ours' changed since" in whys["own"]
    assert whys["pics"] == ""


@pytest.mark.sweep
@pytest.mark.parametrize("migrated", [True, False])
def test_an_unfinished_run_goes_on(genbench, old: Path, migrated: bool) -> None:
    path = next(path for path in (old / "old/runs").iterdir() if path.name.startswith("nice"))
    (path / "checksums.json").unlink()  # its last write never came
    if migrated:
        genbench("migrate", "--data", "data")
    ran = genbench(
        "run", "old.yaml", "--data", "data", "--offline", "--only", "nice--ring*"
    ).stdout
    assert "1 run to do" in ran
    store = Store(old / "old")
    [again] = [run for run in store.runs() if run.id.startswith("nice")]
    assert again.state == "done"
    assert (again.id == path.name) is not migrated
    assert (again.spec().id == again.id) is migrated
    again.verify()


def test_a_migrated_run_is_found_by_the_id_that_reports_cite(genbench, old: Path) -> None:
    ids = {one.before: one.now for one in moved(old) if not one.why}
    before, now = next((a, b) for a, b in ids.items() if a.startswith("gan"))
    assert gb.load(before, results=old).id == now
    shown = json.loads(genbench("show", before, "--json").stdout)
    assert (shown["run"], shown["formerly"]) == (now, before)


def test_a_damaged_note_is_told(old: Path) -> None:
    moved(old)
    store = Store(old / "old")
    run = next(run for run in store.runs() if run.id.startswith("gan"))
    (run.path / "migrated.json").write_text("{")
    with pytest.raises(StoreError, match=r"migrated\.json is damaged"):
        run.spec()


