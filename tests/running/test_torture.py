"""SIGKILL at random instants: nothing finished is lost or repeated, and the bits are the same.

`make torture` is the long form: GENBENCH_TORTURE is the number of instants.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest

INSTANTS = int(os.environ.get("GENBENCH_TORTURE", "6"))
SEED = int(os.environ.get("GENBENCH_TORTURE_SEED", "0"))
SUITE = """\
title: Torture
datasets: {ring: {test_size: 300}}
seeds: 2
budget: {updates: 700, batch: 32}
methods:
  gan: {}
  nice: {}
  vae: {}
  ddpm: {}
protocol: {samples: 200, sets: 1}
evaluate: [nll, neg_elbo, mode_coverage]
"""
SAVING = ("--save-every", "0.3", "--workers", "2")


def offspring(pid: int) -> list[int]:
    """The processes that a runner started, and those that these started: workers among them."""
    found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False)
    children = [int(line) for line in found.stdout.split()]
    return children + [one for child in children for one in offspring(child)]


def finished(folder: Path) -> dict[str, float]:
    """When each run was sealed."""
    return {path.parent.name: path.stat().st_mtime
            for path in folder.glob("killed/torture/runs/*/checksums.json")}


@pytest.mark.slow
def test_killed_at_any_instant(genbench, start, content, folder: Path) -> None:
    (folder / "torture.yaml").write_text(SUITE)
    genbench("run", "torture.yaml", "--results", "whole", *SAVING)
    rng = random.Random(SEED)
    sealed: dict[str, float] = {}
    for instant in range(INSTANTS):
        process = start("torture.yaml", "--results", "killed", *SAVING)
        deadline = time.monotonic() + rng.uniform(0.5, 14)
        victim = rng.choice(["runner", "worker"])
        while time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.02)
        workers = offspring(process.pid)
        if victim == "worker" and workers:
            with suppress(ProcessLookupError):
                os.kill(rng.choice(workers), signal.SIGKILL)
            out, err = process.communicate(timeout=300)
            assert process.returncode in (0, 2, 3), (instant, out, err)
        else:
            process.kill()
            process.communicate()
        now = finished(folder)
        for run, when in sealed.items():
            assert now.get(run) == when, (instant, victim, run, "was lost or repeated")
        sealed = now
        if len(sealed) == 9:  # all done: from the start again, with what is left of the instants
            assert content("killed", "torture") == content("whole", "torture")
            subprocess.run(["rm", "-rf", str(folder / "killed")], check=True)
            sealed = {}
    genbench("run", "torture.yaml", "--results", "killed", *SAVING)
    now = finished(folder)
    assert all(now[run] == when for run, when in sealed.items())
    assert content("killed", "torture") == content("whole", "torture")
    assert list((folder / "killed/torture/runs").glob("[!.]*/.*")) == []
    for path in (folder / "killed/torture/runs").glob("[!.]*/status.json"):
        assert json.loads(path.read_text())["state"] == "done"


@pytest.mark.slow
def test_two_runners_share_the_work(genbench, start, content, folder: Path) -> None:
    """Each run is done exactly once, and both end well."""
    (folder / "torture.yaml").write_text(SUITE)
    both = [start("torture.yaml", "--results", "killed", *SAVING) for _ in range(2)]
    texts = [process.communicate(timeout=600) for process in both]
    assert [process.returncode for process in both] == [0, 0], texts
    done = [line for out, _ in texts for line in out.splitlines() if " done in " in line]
    assert len(done) >= 9
    assert len(finished(folder)) == 9
    genbench("run", "torture.yaml", "--results", "whole", *SAVING)
    assert content("killed", "torture") == content("whole", "torture")
