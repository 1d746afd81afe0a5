"""What takes long says what it is doing, on stderr, in a pipe as in a terminal."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
import warm

from genbench.cli import waiting
from genbench.steps import set_step_fraction, step
from genbench.suites import contents


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    lines: list[str] = []
    monkeypatch.setattr(waiting, "tell", lambda line, style: lines.append(line))
    monkeypatch.setattr(waiting, "PATIENCE", 0.05)
    monkeypatch.setattr(waiting, "AGAIN", 0.1)
    monkeypatch.setattr(waiting, "LOOK_EVERY", 0.01)
    return lines


def test_a_step_that_takes_long_is_said_again_with_what_is_left(said: list[str]) -> None:
    with waiting.slow_steps_said():
        with step("short"):
            pass
        time.sleep(0.1)
        with step("long"):
            set_step_fraction(1, 4)
            time.sleep(0.3)
        count = len(said)
        time.sleep(0.2)
    assert 2 <= count == len(said)
    assert all(line.startswith("still long: 25% of it done, 0:0") for line in said)


def test_nothing_is_said_after_a_step_that_failed(said: list[str]) -> None:
    with waiting.slow_steps_said():
        with pytest.raises(ValueError, match="no"), step("broken"):
            raise ValueError("no")
        time.sleep(0.2)
    assert said == []


SLOW = '''\
import time
import torch
from genbench.data.base import Data, Dataset, Split
from genbench.fields import ClassVar

class Slow(Dataset):
    """Points that only this code knows of."""
    kind: ClassVar = "points"

    def load(self, root, *, offline=False):
        time.sleep(2.5)
        return Data("points", (2,), Split(torch.zeros(9, 2)), Split(torch.zeros(9, 2)))
'''


def test_files_that_are_read_to_be_known(
    said: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENBENCH_CACHE", str(tmp_path / "cache"))
    quick = contents._hash
    monkeypatch.setattr(contents, "_hash", lambda file: (time.sleep(0.2), quick(file))[1])
    (tmp_path / "pics").mkdir()
    for name in ("1.png", "2.png"):
        (tmp_path / "pics" / name).write_bytes(b"no picture")
        os.utime(tmp_path / "pics" / name, (1, 1))
    with waiting.slow_steps_said():
        contents.file_contents(tmp_path / "pics")
    begins = f"still reading {tmp_path / 'pics'}, to know its contents"
    assert said[0] == begins
    assert said[-1].startswith(f"{begins}: 50% of it done, 0:0")


def test_a_command_in_a_pipe(tmp_path: Path) -> None:
    """Data that only code knows of are loaded for it to know what they hold."""
    (tmp_path / "slow.py").write_text(SLOW)
    (tmp_path / "s.yaml").write_text("datasets: {own: {use: 'slow.py:Slow'}}\nseeds: 1\n"
                                     "budget: {updates: 1}\nmethods: {nice: {}}\n"
                                     "evaluate: [nll]\n")
    done = warm.python(["-m", "genbench", "run", "s.yaml", "--dry-run"], tmp_path)
    assert done.returncode == 0
    assert "still loading own, to know the contents\n" in done.stderr
