"""A working folder and the real command."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
import warm
from filelock import FileLock

Command = Callable[..., subprocess.CompletedProcess[str]]

TINY = """\
title: Tiny
datasets: {ring: {modes: 4, test_size: 500}}
seeds: 2
budget: {updates: 40, batch: 32}
methods:
  gan: {}
  flow: {title: A flow, model: {name: nice, widths: [16]}, train: likelihood}
protocol: {samples: 300, sets: 2}
evaluate: [nll, nll_gap, mode_coverage]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A working folder with the suite tiny.yaml in it."""
    (tmp_path / "tiny.yaml").write_text(TINY)
    return tmp_path


@pytest.fixture
def finished(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """That folder, with the suite run: once for all tests, and copied for each."""
    base = tmp_path_factory.getbasetemp()  # of this session; a worker of xdist has one below it
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "finished-tiny"
    with FileLock(f"{shared}.lock"):
        if not shared.exists():
            made = Path(f"{shared}-made")  # which stored runs name: no test changes its suite
            made.mkdir()
            (made / "tiny.yaml").write_text(TINY)
            warm.genbench(made, "run", "tiny.yaml")
            shutil.copytree(made, shared)
    return Path(shutil.copytree(shared, folder, dirs_exist_ok=True))


@pytest.fixture
def genbench(folder: Path) -> Command:
    """genbench(*words): the command in that folder; exit code, stdout and stderr."""
    return partial(warm.genbench, folder)


@pytest.fixture
def start(folder: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """start(*words): `genbench run` in that folder, in a session of its own, left running.

    What is left of it at the test's end is killed.
    """
    started: list[subprocess.Popen[str]] = []

    def call(*words: str) -> subprocess.Popen[str]:
        started.append(subprocess.Popen(
            [sys.executable, "-m", "genbench", "run", *words], cwd=folder, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            # the tests may run in the background of a shell, or by nohup, which ignore these
            preexec_fn=lambda: [signal.signal(number, signal.SIG_DFL)
                                for number in (signal.SIGINT, signal.SIGHUP)],
        ))
        return started[-1]

    yield call
    for process in started:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@pytest.fixture
def content(folder: Path) -> Callable[[str, str], dict[str, bytes]]:
    """content(results, suite): every byte of the runs that a machine's speed does not decide."""

    def read(results: str, suite: str) -> dict[str, bytes]:
        found = {}
        for path in sorted((folder / results / suite / "runs").glob("[!.]*")):
            for name in ("checkpoint.safetensors", "curves.csv", "samples.npz", "metrics.json"):
                if (path / name).exists():
                    found[f"{path.name}/{name}"] = (path / name).read_bytes()
        return found

    return read


@pytest.fixture
def wait_until() -> Callable[..., None]:
    """wait_until(ready): come back once `ready()` is true; the test fails where it never is."""

    def wait(ready: Callable[[], object], seconds: float = 120) -> None:
        deadline = time.monotonic() + seconds
        while not ready():
            assert time.monotonic() < deadline
            time.sleep(0.05)

    return wait


@pytest.fixture
def offspring() -> Callable[[int], list[int]]:
    """offspring(pid): the processes that one started, and those that these started."""

    def found(pid: int) -> list[int]:
        told = subprocess.run(
            ["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False
        )
        children = [int(line) for line in told.stdout.split()]
        return children + [one for child in children for one in found(child)]

    return found
