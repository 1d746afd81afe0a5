"""Runs on a cluster: Ray and Slurm give what this machine gives, whatever happens to them."""

from __future__ import annotations

import json
import math
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from genbench.duration import minutes
from genbench.errors import GenbenchError
from genbench.running.executors.base import NOT_STARTED, Context, Event, Job
from genbench.running.executors.mailbox import Mailbox, MailboxMessenger
from genbench.running.executors.slurm import Slurm, _Task
from genbench.suites.expand import load_plan

LONG = """\
title: Long
datasets: {ring: {test_size: 500}}
seeds: 2
budget: {updates: 9000, batch: 64}
methods:
  gan: {}
protocol: {samples: 300, sets: 1}
evaluate: [mode_coverage]
real: false
"""


SLOW = """\
import time

from genbench.models.generator import Generator


class Slow(Generator):
    def generate(self, n, noise, context=None):
        time.sleep(0.02)
        return super().generate(n, noise, context)
"""
"""A GAN of it takes 40 ms an update at least, on however quick a machine."""


def one_seed(updates: int) -> str:
    return LONG.replace("9000", str(updates)).replace("seeds: 2", "seeds: 1")


def wait_for(path: Path, pattern: str, seconds: float = 120) -> list[Path]:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := list(path.glob(pattern)):
            return found
        time.sleep(0.1)
    raise AssertionError(f"nothing like {pattern} came to be in {path}")


@pytest.mark.parametrize(("text", "expected"), [
    ("90", 90), ("1:30", 1.5), ("01:30:00", 90), ("1-0", 1440), ("1-01:30", 1530),
    ("2-00:00:30", 2880.5), (45, 45), (1.5, 1.5),
])
def test_times_are_read_as_slurm_reads_them(text: object, expected: float) -> None:
    assert minutes(text) == expected
    executor = Slurm(time=text)
    assert executor.time_limit_minutes == math.ceil(expected)


@pytest.mark.parametrize("text", ["", "soon", "1:2:3:4", "-5", "1-", "0", 0, -3])
def test_what_is_no_time_is_refused(text: object) -> None:
    with pytest.raises(GenbenchError, match="time above 0"):
        Slurm(time=text)


def test_a_post_tells_what_is_new_and_asks_to_stop(tmp_path: Path) -> None:
    driver = Mailbox.open(tmp_path)
    worker = Mailbox(driver.folder)
    worker.send(Event("a", "started", 0, 10))
    worker.send(Event("b", "progress", 3, 10, {"model.loss": float("nan")}))
    assert {(e.run, e.kind, e.update) for e in driver.receive()} == {
        ("a", "started", 0), ("b", "progress", 3)
    }
    assert driver.receive() == []
    assert not worker.stopping()
    driver.request_stop()
    assert worker.stopping()
    driver.close()
    assert list(tmp_path.iterdir()) == []
    assert worker.stopping()  # nobody is there to be told
    worker.send(Event("a", "progress", 1, 10))  # and nothing breaks


@pytest.mark.slow
def test_ray_gives_what_this_machine_gives(genbench, content, folder: Path) -> None:
    pytest.importorskip("ray")
    genbench("run", "tiny.yaml", "--results", "here", "--workers", "2")
    done = genbench("run", "tiny.yaml", "--results", "there", "--executor", "ray")
    assert "on Ray" in done.stdout
    assert content("here", "tiny") == content("there", "tiny")
    assert not (folder / "there/tiny/runs/.mailboxes").exists()
    again = genbench("run", "tiny.yaml", "--results", "there", "--executor", "ray")
    assert "all 5 runs are done" in again.stdout


def test_what_a_cluster_lacks_is_one_line(genbench) -> None:
    pytest.importorskip("ray")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nobody = f"127.0.0.1:{taken.getsockname()[1]}"
        done = genbench("run", "tiny.yaml", "--executor", "ray", "--ray-address", nobody, check=2)
    assert f"no Ray head answers at {nobody}" in done.stderr
    assert "Traceback" not in done.stderr
    done = genbench("run", "tiny.yaml", "--executor", "ray", "--gpus", "99", check=2)
    assert "no node of the Ray cluster has 99 GPUs" in done.stderr
    if shutil.which("sbatch") is None:
        done = genbench("run", "tiny.yaml", "--executor", "slurm", check=2)
        assert "there is no sbatch here" in done.stderr


def jobs_of(folder: Path, suite: str, **more: object) -> list[Job]:
    plan = load_plan(folder / suite)
    context = Context(folder / "there" / plan.name, folder, folder / "cache", **more)
    return [Job(spec, context) for spec in plan.runs]


@pytest.mark.slow
def test_a_job_whose_time_is_up_saves_and_goes_on(genbench, content, folder: Path) -> None:
    """What submitit does at a time limit: `checkpoint`, from a signal, then all over again."""
    pytest.importorskip("submitit")
    (folder / "long.yaml").write_text(one_seed(1500))
    genbench("run", "long.yaml", "--results", "here", "--workers", "2")
    [job] = jobs_of(folder, "long.yaml")
    mailbox = Mailbox.open(folder)
    task, ended, queued = _Task(), [], []
    runner = threading.Thread(target=lambda: ended.append(task(job, mailbox.folder)))
    runner.start()
    wait_for(mailbox.folder, "*.json")
    while not any(event.kind == "progress" for event in mailbox.receive()):
        time.sleep(0.05)
    queued.append(task.checkpoint(job, mailbox.folder))
    runner.join(60)
    assert [ending.state for ending in ended] == ["interrupted"]
    assert queued[0].result().state == "done"
    assert content("here", "long") == content("there", "long")


def test_slurms_driver_sees_ends_losses_and_stops(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Jobs as processes of this machine: one of them killed, one withdrawn."""
    pytest.importorskip("submitit")
    (folder / "long.yaml").write_text(LONG.replace("9000", "100000"))
    jobs = jobs_of(folder, "long.yaml")
    monkeypatch.setattr(Slurm, "scheduler", "local")
    executor = Slurm(time=5)
    events: list[Event] = []
    runner = threading.Thread(target=lambda: events.extend(executor.run(executor.prepare(jobs))))
    runner.start()
    for job in jobs:
        wait_for(folder / "there/long/runs", f"{job.spec.id}/status.json")
    first = executor._jobs[jobs[0].spec.id]
    for child in subprocess.run(
        ["pgrep", "-P", first.job_id], capture_output=True, text=True, check=True
    ).stdout.split():
        os.kill(int(child), signal.SIGKILL)
    deadline = time.monotonic() + 60
    while len(executor._jobs) == 2 and time.monotonic() < deadline:
        time.sleep(0.2)
    executor.stop()
    runner.join(60)
    ends = {event.run: event for event in events if event.kind == "finished"}
    assert ends[jobs[0].spec.id].state == "failed"
    assert "ended without a result; its log is" in ends[jobs[0].spec.id].reason
    assert ends[jobs[1].spec.id].state == "interrupted"
    assert ends[jobs[1].spec.id].reason != NOT_STARTED
    status = json.loads((folder / f"there/long/runs/{jobs[1].spec.id}/status.json").read_text())
    assert status["state"] == "interrupted"
    assert status["update"] > 0


def test_a_messenger_without_a_driver_stops_its_run(tmp_path: Path, folder: Path) -> None:
    [job, *_] = jobs_of(folder, "tiny.yaml")
    mailbox = Mailbox.open(tmp_path)
    messenger = MailboxMessenger(mailbox, job)
    assert not messenger.stopping()
    mailbox.close()
    time.sleep(0.6)
    assert messenger.stopping()


@pytest.fixture
def ray_nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, subprocess.Popen]]:
    """A head and a second node of one CPU each, on this machine; address and second node."""
    pytest.importorskip("ray")
    place = Path("/tmp") / f"gb-ray-{os.getpid()}"  # short: sockets lie below it
    health = {"period_ms": "500", "timeout_ms": "1000", "failure_threshold": "3",
              "initial_delay_ms": "500"}
    env = {**os.environ, "RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0",
           **{f"RAY_health_check_{name}": value for name, value in health.items()}}
    common = ["--block", "--num-cpus=1", "--object-store-memory=80000000",
              "--node-ip-address=127.0.0.1"]
    port = 6397

    def node(*words: str) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, "-m", "ray.scripts.scripts", "start", *common, *words], env=env,
            start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )

    head = node("--head", f"--port={port}", "--include-dashboard=false", f"--temp-dir={place}",
                "--min-worker-port=11000", "--max-worker-port=11100")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            break
        except OSError:
            assert head.poll() is None, "the head went"
            time.sleep(0.5)
    second = node(f"--address=127.0.0.1:{port}", "--min-worker-port=11200",
                  "--max-worker-port=11300")
    time.sleep(8)
    yield f"127.0.0.1:{port}", second
    for process in (second, head):
        subprocess.run(["pkill", "-9", "-s", str(process.pid)], check=False)
        process.wait()
    shutil.rmtree(place, ignore_errors=True)


@pytest.mark.slow
def test_a_lost_ray_nodes_run_goes_on_elsewhere(
    genbench, content, start, ray_nodes, folder: Path
) -> None:
    address, second = ray_nodes
    (folder / "long.yaml").write_text(LONG)
    process = start("long.yaml", "--results", "there", "--executor", "ray", "--ray-address",
                    address)
    found = wait_for(folder / "there", "long/runs/.mailboxes/*/*.json")
    while len(found) < 2:
        found = wait_for(folder / "there", "long/runs/.mailboxes/*/*.json")
    time.sleep(5)
    subprocess.run(["pkill", "-9", "-s", str(second.pid)], check=False)
    out, err = process.communicate(timeout=900)
    assert process.returncode == 0, (out, err)
    own = [line for line in err.splitlines() if not line.startswith("still ")]  # a slow step
    assert own == [], "Ray's own messages belong into its logs"
    assert "raylet" not in out
    genbench("run", "long.yaml", "--results", "here", "--workers", "2", timeout=900)
    assert content("here", "long") == content("there", "long")


@pytest.fixture
def slurm(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator:
    """A Slurm of this machine alone, where it can be had."""
    if os.geteuid() or not all(map(shutil.which, ("slurmctld", "slurmd", "munged", "sbatch"))):
        pytest.skip("needs root, and Debian's slurm-wlm and munge")
    place = tmp_path_factory.mktemp("slurm")
    script = Path(__file__).parent / "slurm_node.sh"
    up = subprocess.run([script, "up", place], capture_output=True, text=True, check=True)
    monkeypatch.setenv("SLURM_CONF", up.stdout.strip())
    yield
    subprocess.run(["scancel", "--user=root"], check=False)
    subprocess.run([script, "down", place], check=True)


@pytest.mark.slow
def test_slurm_arrays_time_limits_and_requeues(
    genbench, content, slurm, folder: Path
) -> None:
    """A run of 40 seconds or more: a job of a minute is told to end before that.

    Slurm lets the requeued job wait for two minutes.
    """
    pytest.importorskip("submitit")
    (folder / "slow.py").write_text(SLOW)
    slow = one_seed(1000).replace("gan: {}", 'gan: {model: "slow.py:Slow"}')
    (folder / "long.yaml").write_text(slow)
    genbench("run", "tiny.yaml", "--results", "there", "--executor", "slurm")
    genbench("run", "tiny.yaml", "--results", "here", "--workers", "2")
    assert content("here", "tiny") == content("there", "tiny")
    genbench("run", "long.yaml", "--results", "there", "--executor", "slurm", "--time", "1",
             timeout=1500)
    logs = list((folder / "there/long/runs/.slurm").glob("*_log.err"))
    assert any("timed-out" in log.read_text() for log in logs)
    genbench("run", "long.yaml", "--results", "here", "--workers", "2", timeout=900)
    assert content("here", "long") == content("there", "long")
