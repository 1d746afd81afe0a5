"""Commands on a finished suite of two hundred runs, against the imports that they stand on."""

from __future__ import annotations

import functools
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from _finished import finished_suite
from _ratios import interleaved
from pytest_benchmark.fixture import BenchmarkFixture

Ratio = Callable[[str, str, str], None]
LIBRARIES = ("-c", "import pandas, matplotlib.pyplot")
"""What a report cannot do without; the measure of its cost."""
ROUNDS = 3


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished suite; the checks below keep it from training anything."""
    made = tmp_path_factory.mktemp("finished")
    finished_suite(made)
    genbench(made, "report", "suite.yaml")
    assert ", 0 to do" in genbench(made, "run", "suite.yaml", "--dry-run")
    return made


def python(folder: Path, *words: str) -> str:
    """Run Python in a process of its own; gives what it printed."""
    done = subprocess.run(
        [sys.executable, *words], cwd=folder, timeout=120, check=True,
        capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    return done.stdout


def genbench(folder: Path, *words: str) -> str:
    """Run the real command."""
    return python(folder, "-m", "genbench", *words)


def children() -> float:
    """CPU seconds of the processes waited for: a clock that the load of the machine spares."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def compare(
    name: str, ours: Callable[[], object], theirs: Callable[[], object], peer: str,
    wanted: str, ratio: Ratio, benchmark: BenchmarkFixture,
) -> None:
    """A ratio of CPU seconds, with the CPU and wall seconds themselves beside it."""
    mine, other = interleaved(ours, theirs, rounds=ROUNDS, clock=children)
    began = time.perf_counter()
    benchmark.pedantic(ours, rounds=1)
    wall = time.perf_counter() - began
    benchmark.extra_info.update(ratio=mine / other, cpu=mine)
    ratio(f"{name} / {peer}", f"{mine / other:.2f} ({mine:.2f} s CPU, {wall:.2f} s)", wanted)


@pytest.mark.parametrize(("command", "wanted"), [
    ("run", "< 3 s"), ("report", "< 3 s"), ("table", "< 3 s"),
])
def test_a_finished_suite(
    command: str, wanted: str, folder: Path, ratio: Ratio, benchmark: BenchmarkFixture
) -> None:
    compare(
        f"genbench {command}, 200 runs done", lambda: genbench(folder, command, "suite.yaml"),
        lambda: python(folder, *LIBRARIES), "its imports", wanted, ratio, benchmark,
    )


def test_a_report_with_every_figure_drawn(
    folder: Path, ratio: Ratio, benchmark: BenchmarkFixture
) -> None:
    made: list[tuple[bytes, ...]] = []

    def fresh() -> None:
        out = folder / "results" / "suite"
        shutil.rmtree(out / "figures")
        (out / "report.md").unlink()
        genbench(folder, "report", "suite.yaml")
        files = [out / "report.md", out / "metrics.csv", *sorted((out / "figures").iterdir())]
        made.append(tuple(path.read_bytes() for path in files))

    compare(
        "the same report, all figures drawn", fresh, lambda: python(folder, *LIBRARIES),
        "its imports", "< 3 s", ratio, benchmark,
    )
    assert len(set(made)) == 1, "equal results gave different bytes"
    assert len(made[0]) > 4, "the report has no figures"


@pytest.mark.parametrize("words", [("--help",), ("list",)], ids=["help", "list"])
def test_looking_things_up(
    words: tuple[str, ...], tmp_path: Path, ratio: Ratio, benchmark: BenchmarkFixture
) -> None:
    compare(
        f"genbench {words[0]}", functools.partial(genbench, tmp_path, *words),
        lambda: python(tmp_path, "-c", "pass"), "python -c pass", "well under 1 s", ratio,
        benchmark,
    )
