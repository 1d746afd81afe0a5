"""What it costs to run: the executors, a thousand runs, ten thousand stored, checkpoints."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from _finished import finished_suite
from pytest_benchmark.fixture import BenchmarkFixture

from genbench.running.cell import run_cell
from genbench.running.executors.base import Context, Executor, Job
from genbench.running.executors.local import Local
from genbench.store.runs import Store
from genbench.suites.expand import load_plan

Ratio = Callable[[str, str, str], None]
TRIVIAL = """\
title: Trivial
datasets: {ring: {test_size: 200}}
seeds: SEEDS
budget: {updates: 1, batch: 8}
methods: {tiny: {model: {name: gaussian}, train: likelihood}}
protocol: {samples: 100, sets: 1}
evaluate: [nll]
real: false
"""


def trivial(folder: Path, seeds: int) -> list[Job]:
    """That many runs of one update, none of them done."""
    suite = folder / "trivial.yaml"
    suite.write_text(TRIVIAL.replace("SEEDS", str(seeds)))
    plan = load_plan(suite)
    context = Context(folder / "results", folder, folder)
    Store(context.root).prepare()
    return [Job(spec, context) for spec in plan.runs]


def run_all(executor: Executor, jobs: list[Job]) -> tuple[float, float, float]:
    """Wall seconds, the seconds that the runs took in their processes, those that they trained."""
    given = executor.prepare(jobs)
    list(executor.run(given[:2]))  # processes start, libraries load
    began = time.perf_counter()
    events = list(executor.run(given[2:]))
    wall = time.perf_counter() - began
    ended = [event for event in events if event.kind == "finished"]
    assert {event.state for event in ended} == {"done"}
    store = Store(jobs[0].context.root)
    trained = sum(store.run(event.run).status().seconds for event in ended)
    return wall, sum(event.seconds for event in ended), trained


def test_overhead_of_a_local_run(
    tmp_path: Path, ratio: Ratio, benchmark: BenchmarkFixture
) -> None:
    jobs = trivial(tmp_path, 102)
    local = Local(workers=1)
    try:
        wall, inside, trained = benchmark.pedantic(lambda: run_all(local, jobs), rounds=1)
    finally:
        local.close()
    each, beside = (wall - trained) / 100, (wall - inside) / 100
    benchmark.extra_info.update(milliseconds=1000 * each)
    ratio("a local run beyond its training", f"{1000 * each:.0f} ms", "< 100 ms")
    ratio("of that, outside its process", f"{1000 * beside:.1f} ms", "–")


def test_overhead_of_a_run_through_ray(
    tmp_path: Path, ratio: Ratio, benchmark: BenchmarkFixture
) -> None:
    pytest.importorskip("ray")
    from genbench.running.executors.ray import Ray

    jobs = trivial(tmp_path, 52)
    cluster = Ray()
    try:
        wall, inside, trained = benchmark.pedantic(lambda: run_all(cluster, jobs), rounds=1)
    finally:
        cluster.close()
    # several runs go on at once: what one waits beside its own work is what the cluster costs
    slots = min(len(os.sched_getaffinity(0)), 50)
    each = (wall * slots - trained) / 50
    benchmark.extra_info.update(milliseconds=1000 * each)
    ratio("a run through Ray beyond its training", f"{1000 * each:.0f} ms", "< 300 ms")
    ratio("of that, outside its process", f"{1000 * (wall * slots - inside) / 50:.0f} ms", "–")


def test_a_thousand_runs(tmp_path: Path, ratio: Ratio, benchmark: BenchmarkFixture) -> None:
    workers = 2
    jobs = trivial(tmp_path, 1002)
    local = Local(workers=workers)
    try:
        wall, inside, _ = benchmark.pedantic(lambda: run_all(local, jobs), rounds=1)
    finally:
        local.close()
    share = wall / (inside / workers)
    benchmark.extra_info.update(ratio=share)
    ratio("1,000 runs / their work on 2 workers", f"{share:.3f} ({wall:.1f} s)", "<= 1.1")


LARGE = """\
title: Large
datasets: {ring: {test_size: 200}}
seeds: 2
budget: {updates: 6, batch: 8}
methods: {flow-ml: {model: {couplings: 4, widths: [1000, 1000, 1000, 1000, 1000]}}}
evaluate: [nll]
real: false
"""
"""A flow of 16 million parameters: with Adam's moments, as large as those of MNIST here get."""


class Quiet:
    """The hooks of a run that nobody watches."""

    def progress(self, update: int, losses: object) -> None: ...

    def evaluating(self, step: str = "", share: float = 0.0) -> None: ...

    def stopping(self) -> bool:
        return False


def test_checkpoints_every_minute(
    tmp_path: Path, ratio: Ratio, benchmark: BenchmarkFixture
) -> None:
    suite = tmp_path / "large.yaml"
    suite.write_text(LARGE)
    often, never = (
        Job(spec, Context(tmp_path / "results", tmp_path, tmp_path, save_every=every))
        for spec, every in zip(load_plan(suite).runs, (0.0, 1e9), strict=True)
    )

    def seconds(job: Job) -> float:
        began = time.perf_counter()
        assert run_cell(job, Quiet()) == ("done", "")
        return time.perf_counter() - began

    without = seconds(never)
    saves = 5  # after every update but the last
    each = (benchmark.pedantic(lambda: seconds(often), rounds=1) - without) / saves
    benchmark.extra_info.update(seconds=each)
    ratio("a checkpoint every minute / the minute", f"{each / 60:.2%} ({each:.2f} s)", "< 1 %")


COMMANDS = (("run", "--dry-run"), ("run",), ("report",))


def test_ten_thousand_stored_runs(
    tmp_path: Path, ratio: Ratio, benchmark: BenchmarkFixture
) -> None:
    few, many = tmp_path / "few", tmp_path / "many"
    for folder, seeds in ((few, 125), (many, 500)):
        folder.mkdir()
        finished_suite(folder, seeds=seeds)
        command(folder, "report")  # drawn once: figures are kept
    for words in COMMANDS:
        quick, _ = command(few, *words)
        slow, memory = command(many, *words)
        name = " ".join(words)
        ratio(f"genbench {name}, 10,000 runs done", f"{slow:.1f} s, {memory:.0f} MiB",
              "< 10 s, 1 GiB")
        ratio(f"genbench {name}, 10,000 / 2,500", f"{slow / quick:.2f}", "about 4, at most")
    benchmark.pedantic(lambda: command(many, "report"), rounds=1)


def command(folder: Path, *words: str) -> tuple[float, float]:
    """CPU seconds and peak MiB of a command on the finished suite of a folder."""
    code = (
        "import re, resource, sys; from genbench.cli.app import main\n"
        "try: main()\n"
        "finally:\n"
        " used = resource.getrusage(resource.RUSAGE_SELF)\n"
        # ru_maxrss would be that of the process that started this one, where it was larger
        " peak = re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1]\n"
        " print('USED', used.ru_utime + used.ru_stime, int(peak) / 1024, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, words[0], "suite.yaml", *words[1:]], cwd=folder, check=True,
        capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    _, seconds, memory = done.stderr.strip().splitlines()[-1].split()
    return float(seconds), float(memory)
