"""Worker processes of this machine, and the server that they are forked from."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from genbench.running.executors import local

pytestmark = pytest.mark.skipif(not local.CAN_FORK, reason="workers are forked on Linux alone")

SUITE = """\
title: Some
datasets: {ring: {modes: 4, test_size: 300}}
seeds: 4
budget: {updates: 300, batch: 32}
methods: {nice: {model: {widths: [16]}}}
protocol: {samples: 200, sets: 1}
evaluate: [nll]
real: false
"""
UNTOUCHED = """\
import importlib, sys, threading
import torch
def touched(*args): raise SystemExit("CUDA was asked")
torch.cuda.is_available = torch.cuda.device_count = touched
torch._C._cuda_getDeviceCount = touched
for name in sys.argv[1:]: importlib.import_module(name)
print(torch.cuda.is_initialized(), threading.active_count())
"""


def test_what_the_server_loads_touches_no_gpu() -> None:
    """A process that is forked off one which did could use none."""
    done = subprocess.run(
        [sys.executable, "-c", UNTOUCHED, *local.PRELOADED[1:]], capture_output=True, text=True,
        check=False,
    )
    assert done.stdout == "False 1\n", done.stderr


@pytest.mark.sweep
@pytest.mark.parametrize("moment", ["at the start", "when all workers are there"])
def test_a_killed_server_costs_no_run(start, folder: Path, moment: str) -> None:
    (folder / "some.yaml").write_text(SUITE)
    process = start("some.yaml", "--workers", "2")
    deadline = time.monotonic() + 90
    server: int | None = None
    while time.monotonic() < deadline and process.poll() is None:
        server = server_of(process.pid)
        busy = len(list(folder.glob("results/some/runs/*/status.json"))) >= 2
        if server is not None and (busy or moment == "at the start"):
            break
        time.sleep(0.02)
    assert server is not None
    os.kill(server, signal.SIGKILL)
    out, err = process.communicate(timeout=200)
    assert process.returncode == 0, (out, err)
    assert out.count(" done in ") == 4
    assert "Traceback" not in out + err


def test_ctrl_c_while_workers_load(start, wait_until, folder: Path) -> None:
    """Neither their server nor a worker that it starts too late has a word to say."""
    (folder / "some.yaml").write_text(SUITE)
    for patience in (0.0, 2.0):
        process = start("some.yaml", "--workers", "2")
        wait_until(lambda one=process.pid: server_of(one))
        time.sleep(patience)
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=60)
        assert process.returncode in (0, 130), (out, err)
        assert "Traceback" not in out + err


def test_a_path_too_long_for_a_socket(folder: Path) -> None:
    """Workers then load torch one by one."""
    (folder / "some.yaml").write_text(SUITE.replace("seeds: 4", "seeds: 1"))
    deep = folder / ("deep" * 25)
    deep.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "genbench", "run", "some.yaml"], cwd=folder, text=True,
        capture_output=True, check=False, env={**os.environ, "TMPDIR": str(deep)},
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


def server_of(runner: int) -> int | None:
    """The child of the runner that workers are forked from."""
    found = subprocess.run(
        ["pgrep", "-P", str(runner), "-f", "multiprocessing.forkserver"],
        capture_output=True, text=True, check=False,
    )
    return int(found.stdout.split()[0]) if found.stdout else None
