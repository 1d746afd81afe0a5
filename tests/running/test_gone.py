"""A process that is killed: the others save a checkpoint and exit."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from genbench.store.runs import Store
from genbench.suites.expand import load_plan

TRAINS = """\
datasets: {ring: {test_size: 300}}
seeds: 1
budget: {updates: 1000000, batch: 64}
methods: {nice: {}}
protocol: {samples: 200, sets: 1}
evaluate: [nll]
real: false
"""
MEASURES = """\
datasets: {ring: {test_size: 300}}
seeds: 1
budget: {updates: 5, batch: 64}
methods: {nice: {}}
protocol: {samples: 200, sets: 1}
evaluate: ["waits.py:Waits", mode_coverage]
real: false
"""
WAITS = '''\
from pathlib import Path
from time import sleep

from genbench.evaluation.base import Metric
from genbench.fields import ClassVar


class Waits(Metric):
    """Measured once somebody says so."""

    values: ClassVar = {"waited": {"better": "none", "title": "Waited"}}

    def measure(self, evidence, sample_set=0):
        Path("begun").touch()
        while not Path("go").exists():
            sleep(0.05)
        return {"waited": 1.0}
'''


def only(folder: Path, suite: str) -> Path:
    [found] = (folder / "results" / suite / "runs").glob("[!.]*")
    return found


def status(run: Path) -> dict[str, object]:
    return dict(json.loads((run / "status.json").read_text()))


def test_a_run_whose_runner_was_killed_saves_first(
    start, wait_until, offspring, folder: Path
) -> None:
    """What was trained since the last checkpoint would be lost otherwise: a minute of it."""
    (folder / "trains.yaml").write_text(TRAINS)
    process = start("trains.yaml", "--workers", "1")
    wait_until(lambda: list(folder.glob("results/trains/runs/*/status.json")))
    run, workers = only(folder, "trains"), offspring(process.pid)
    process.kill()
    process.communicate(timeout=60)
    wait_until(lambda: not any(map(alive, workers)))
    assert (run / "checkpoint.safetensors").exists()
    assert status(run)["state"] == "interrupted"
    assert status(run)["update"] > 0


def test_a_run_whose_runner_is_killed_while_it_is_measured_is_measured_again(
    genbench, start, wait_until, offspring, folder: Path
) -> None:
    """That nobody listens is no fault of a metric."""
    (folder / "waits.py").write_text(WAITS)
    (folder / "measures.yaml").write_text(MEASURES)
    process = start("measures.yaml", "--workers", "1")
    wait_until((folder / "begun").exists)
    workers = offspring(process.pid)
    process.kill()
    process.wait()
    (folder / "go").touch()
    wait_until(lambda: not any(map(alive, workers)))
    run = only(folder, "measures")
    assert not (run / "checksums.json").exists()
    assert "1 run to do" in genbench("run", "measures.yaml").stdout
    measured = json.loads((run / "metrics.json").read_text())["measurements"]
    assert {one["status"] for one in measured} == {"ok"}


def test_a_terminal_that_is_closed_loses_nothing(
    start, wait_until, folder: Path
) -> None:
    (folder / "trains.yaml").write_text(TRAINS)
    process = start("trains.yaml", "--workers", "1")
    wait_until(lambda: list(folder.glob("results/trains/runs/*/status.json")))
    os.killpg(process.pid, signal.SIGHUP)
    out, err = process.communicate(timeout=90)
    assert process.returncode == 130, (out, err)
    assert "goes on from here" in out
    run = only(folder, "trains")
    assert (run / "checkpoint.safetensors").exists()
    assert status(run)["state"] == "interrupted"


def alive(pid: int) -> bool:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return text.rpartition(")")[2].split()[0] != "Z"


def test_who_waits_for_another_runner_says_so(start, folder: Path) -> None:
    (folder / "tiny.yaml").write_text(
        (folder / "tiny.yaml").read_text().replace("seeds: 2", "seeds: 1"))
    [spec] = load_plan(folder / "tiny.yaml").only(["flow"]).runs
    store = Store(folder / "results/tiny")
    store.prepare()
    with store.claim(spec.id):
        process = start("tiny.yaml", "--only", "flow")
        told = next(line for line in process.stdout if "runner" in line)
        assert told == f"another runner has {spec.id}: waiting\n"
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert " done in " in out


STOPS = """\
import builtins, os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
real = builtins.__import__

def slow(name, *rest):
    if name == "typer":
        os.kill(os.getpid(), signal.SIGINT)
    return real(name, *rest)

builtins.__import__ = slow
from genbench.cli import main
main()
"""


def test_ctrl_c_while_the_command_is_imported(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", STOPS], cwd=folder, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")
