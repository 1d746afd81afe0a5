"""A plug-in that forks, starts processes or threads, or leaves: it takes at most its own run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
import warm

HEAD = """\
datasets: {ring: {modes: 4, test_size: 300}}
seeds: 1
budget: {updates: 12, batch: 32}
real: false
protocol: {samples: 200, sets: 1}
evaluate: [nll, mode_coverage]
methods:
  good: {use: nice}
"""
PLUGIN = """\
import multiprocessing
import os
import signal
import subprocess
import threading
import time

import torch
from genbench.models.base import Model


class Theirs(Model):
    def build(self, space):
        self.mean = torch.nn.Parameter(torch.zeros(space.dims))
        self.seen = 0

    def log_prob(self, x):
        self.seen += 1
        if self.seen == 3:
            self.act()
        return -(x - self.mean).square().sum(1) / 2 - 1.8378770664093453

    def generate(self, n, noise, context=None):
        return self.mean + noise.normal("z", n, len(self.mean))
"""
ACT = """

class {name}(Theirs):
    def act(self):
        {act}
"""
HARMLESS = {
    "Fork": "os.fork()",
    "Raise": "if os.fork() == 0: raise RuntimeError('the child')",
    "Child": "if os.fork() == 0: time.sleep(1); os._exit(0)",
    "Told": "child = subprocess.Popen(['sleep', '600']); child.terminate(); child.wait(10)",
    "Pool": "with multiprocessing.get_context('fork').Pool(2) as pool: pool.map(abs, [1, -1])",
    "Thread": "threading.Thread(target=time.sleep, args=(600,)).start()",
}
ORPHAN = """\
if os.fork() == 0:
    while not os.path.exists('go'): time.sleep(0.1)
    os._exit(0)
os.kill(os.getpid(), 9)"""


def run_with(
    folder: Path, acts: Mapping[str, str], *words: str
) -> tuple[str, dict[str, str]]:
    """What the command says, and the state of each row's run."""
    (folder / "theirs.py").write_text(PLUGIN + "".join(
        ACT.format(name=name, act=act.replace("\n", "\n" + 8 * " ")) for name, act in acts.items()
    ))
    (folder / "p.yaml").write_text(HEAD + "".join(
        f'  {name}: {{model: "theirs.py:{name}", train: likelihood}}\n' for name in acts
    ))
    done = warm.genbench(folder, "run", "p.yaml", "--workers", "1", *words, check=3)
    text = done.stdout + done.stderr
    assert "Traceback" not in text
    return text, {
        path.parent.name.partition("--")[0]: json.loads(path.read_text())["state"]
        for path in folder.glob("results/p/runs/*/status.json")
    }


def test_what_it_starts_has_no_part_in_its_run(content, folder: Path) -> None:
    """Its own end is seen though what it forked lives and holds its pipe."""
    acts = {**HARMLESS, "Orphan": ORPHAN, "Leave": "os._exit(0)"}
    try:
        said, states = run_with(folder, acts)
    finally:
        (folder / "go").touch()
    assert states == dict.fromkeys(["good", *HARMLESS], "done") | dict.fromkeys(
        ["Orphan", "Leave"], "failed"
    )
    assert "the worker process was killed by signal 9" in said
    assert "the worker process ended with exit code 0" in said
    alike = content("results", "p")
    metrics = {alike[name] for name in alike if "metrics" in name and "good" not in name}
    assert len(metrics) == 1


@pytest.mark.slow
def test_one_that_killed_the_server_of_all_is_ended_at_its_time(folder: Path) -> None:
    act = "os.kill(os.getppid(), 9); os.kill(os.getpid(), signal.SIGSTOP)"
    said, states = run_with(folder, {"Stop": act}, "--time-limit", "0:15")
    assert "took longer than its limit of 0:00:15" in said
    assert states == {"good": "done", "Stop": "timed-out"}
