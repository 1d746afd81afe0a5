"""Nobody touches a run without its lock; a finished run stays finished."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest


def one(folder: Path, start: str, suite: str = "tiny") -> Path:
    [found] = (folder / "results" / suite / "runs").glob(f"{start}*")
    return found


def state(run: Path) -> str:
    return str(json.loads((run / "status.json").read_text())["state"])


def test_a_lock_that_cannot_be_had_is_one_line(genbench, finished: Path) -> None:
    run = one(finished, "flow--ring--s1")
    before = {path.name: path.read_bytes() for path in run.iterdir()}
    lock = run.parent / ".locks" / f"{run.name}.lock"
    lock.unlink(missing_ok=True)
    lock.mkdir()
    text = (finished / "tiny.yaml").read_text()
    (finished / "tiny.yaml").write_text(text.replace("nll_gap,", "nll_gap, sliced_wasserstein,"))
    done = genbench("run", "tiny.yaml", check=3)
    assert "Traceback" not in done.stdout + done.stderr
    [said] = [line for line in done.stdout.splitlines() if "cannot lock" in line]
    assert lock.name in said
    assert "kept in" not in done.stdout  # nothing is
    assert before == {path.name: path.read_bytes() for path in run.iterdir()}


LONG = """\
datasets: {ring: {test_size: 300}}
seeds: 1
budget: {updates: 100000, batch: 64}
methods: {nice: {}}
protocol: {samples: 200, sets: 1}
evaluate: [nll]
real: false
"""


def test_a_runner_that_was_stopped_wakes_and_harms_nothing(
    genbench, start, wait_until, offspring, folder: Path
) -> None:
    """Its worker died while it slept, and another finished the run."""
    (folder / "long.yaml").write_text(LONG)
    asleep = start("long.yaml", "--save-every", "0.2")
    wait_until(lambda: list(folder.glob("results/long/runs/*/checkpoint.safetensors")))
    workers = offspring(asleep.pid)
    os.kill(asleep.pid, signal.SIGSTOP)
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
    (folder / "long.yaml").write_text(LONG.replace("updates: 100000", "updates: 100000"))
    run = one(folder, "nice", "long")
    seal_as_done(run, folder)
    before = {path.name: path.read_bytes() for path in run.iterdir()}
    os.kill(asleep.pid, signal.SIGCONT)
    out, err = asleep.communicate(timeout=90)
    assert asleep.returncode == 0, (out, err)
    assert "failed" not in out
    assert before == {path.name: path.read_bytes() for path in run.iterdir()}


def seal_as_done(run: Path, folder: Path) -> None:
    """As another runner would leave it."""
    from genbench.store.runs import Status, Store
    from genbench.suites.expand import load_plan

    store = Store(run.parents[1])
    [spec] = load_plan(folder / "long.yaml").runs
    with store.claim(run.name, timeout=10) as held:
        held.write_metrics(spec, [], {})
        held.write_status(Status("done", "", 100000, 100000, 1.0))
        held.seal()


def test_what_was_killed_outright_is_told_as_interrupted(
    genbench, start, wait_until, offspring, folder: Path
) -> None:
    (folder / "long.yaml").write_text(LONG)
    process = start("long.yaml", "--save-every", "0.2")
    wait_until(lambda: list(folder.glob("results/long/runs/*/checkpoint.safetensors")))
    assert "running,at update" in genbench("table", "long.yaml").stdout.replace('"', "")
    workers = offspring(process.pid)
    for pid in (process.pid, *workers):
        os.kill(pid, signal.SIGKILL)
    process.communicate(timeout=60)
    wait_until(lambda: "interrupted" in genbench("table", "long.yaml").stdout)


def test_a_run_whose_folder_is_gone_fails(start, wait_until, folder: Path) -> None:
    (folder / "long.yaml").write_text(LONG)
    process = start("long.yaml", "--save-every", "0.2")
    wait_until(lambda: list(folder.glob("results/long/runs/*/checkpoint.safetensors")))
    shutil.move(folder / "results", folder / "elsewhere")
    out, err = process.communicate(timeout=90)
    assert process.returncode != 0, (out, err)
    assert "the folder of this run went away" in out
    assert "Traceback" not in out + err
    assert list(folder.glob("results/long/runs/nice*")) == []
    kept = json.loads(next(folder.glob("elsewhere/long/runs/*/status.json")).read_text())
    assert kept["state"] == "running"


def test_a_file_that_cannot_be_written_leaves_no_run_running(folder: Path) -> None:
    (folder / "long.yaml").write_text(LONG.replace("100000", "400"))
    command = "ulimit -f 4; exec genbench run long.yaml --offline --workers 1"
    path = f"{Path(os.sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", command], cwd=folder, text=True, capture_output=True, check=False,
        env={**os.environ, "PATH": path, "OMP_NUM_THREADS": "1", "COLUMNS": "200"},
    )
    assert done.returncode == 3, (done.stdout, done.stderr)
    run = one(folder, "nice", "long")
    assert state(run) == "failed"
    assert "cannot write" in json.loads((run / "status.json").read_text())["reason"]
    assert (run / "error.txt").exists()
    assert "running (at" not in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("words", [("run", "tiny.yaml", "--repair")])
def test_repair_leaves_alone_what_another_works_on(genbench, finished: Path, words) -> None:
    from genbench.store.runs import Store

    run = one(finished, "flow--ring--s0")
    (run / "curves.csv").write_text("x")
    with Store(finished / "results/tiny").claim(run.name):
        said = genbench(*words, check=2).stderr
    assert "curves.csv is damaged" in said
    assert run.exists()
    genbench(*words)
    assert state(run) == "done"
