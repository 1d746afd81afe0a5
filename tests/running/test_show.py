"""The command that `show` gives is one that does the run again."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest


def repeats(shown: str) -> list[str]:
    [line] = [line for line in shown.splitlines() if line.startswith("repeat: ")]
    return shlex.split(line.removeprefix("repeat: "))


def run_of(folder: Path, pattern: str) -> str:
    [found] = (folder / "results/mine/runs").glob(pattern)
    return found.name


@pytest.mark.slow
@pytest.mark.parametrize("words", [
    (), ("--seeds", "4"), ("--limit-updates", "3"), ("--limit-updates=3", "--seeds=4"),
    ("--threads", "2"),
])
def test_a_run_is_repeated_by_the_command_that_is_shown(
    genbench, folder: Path, words: tuple[str, ...]
) -> None:
    (folder / "below").mkdir()
    text = (folder / "tiny.yaml").read_text().replace("seeds: 2", "seeds: [3]")
    (folder / "below/mine.yaml").write_text(text)
    genbench("run", "below/mine.yaml", "--only", "flow", *words)
    run = run_of(folder, "flow--ring--s3--*")
    command = repeats(genbench("show", run).stdout)
    assert command[:3] == ["genbench", "run", "below/mine.yaml"]
    genbench(*command[1:])
    first, again = (folder / results / "mine/runs" / run for results in ("results", "elsewhere"))
    for name in ("metrics.json", "checkpoint.safetensors"):
        assert (first / name).read_bytes() == (again / name).read_bytes()


def test_a_trial_of_the_real_row_and_a_suite_that_changed(genbench, folder: Path) -> None:
    text = (folder / "tiny.yaml").read_text()
    (folder / "mine.yaml").write_text(text)
    genbench("run", "mine.yaml", "--only", "real", "--limit-updates", "7")
    run = run_of(folder, "real--*")
    command = repeats(genbench("show", run).stdout)
    assert "1 to do" in genbench(*command[1:], "--dry-run").stdout
    (folder / "mine.yaml").write_text(text.replace("modes: 4", "modes: 5"))
    assert "no longer asks for this run" in genbench("show", run).stdout
    (folder / "mine.yaml").unlink()
    assert "is no longer in" in genbench("show", run).stdout
