"""What reaches the terminal, whatever the terminal, the streams and the environment are like."""

from __future__ import annotations

import ast
import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from rich.table import Table

import genbench.cli
from genbench.cli.output import console_for
from genbench.errors import GenbenchError
from genbench.places import at_home, cache_folder
from genbench.visible import visible

HOSTILE = "a\x1b[2Jb\x9bc\u202ed\udce9"
SHOWN = "a\\x1b[2Jb\\x9bc\\u202ed\\udce9"


def shell(folder: Path, line: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A line of sh in which `genbench` is the command."""
    command = f'genbench() {{ "{sys.executable}" -m genbench "$@"; }}; {line}'
    done = subprocess.run(
        ["sh", "-c", command], cwd=folder, text=True, errors="replace", capture_output=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment}, check=False,
    )
    done.stderr = re.sub(r"(?m)^still .*\n", "", done.stderr)  # of a busy machine
    return done


def test_what_steers_a_terminal_is_written_out() -> None:
    assert visible(HOSTILE) == SHOWN
    assert visible("Å 流 é µ ± → 👩‍🔬\n\tb") == "Å 流 é µ ± → 👩‍🔬\n\tb"


def test_a_console_shows_hostile_text_wherever_it_stands() -> None:
    stream = io.StringIO()
    table = Table(title=HOSTILE)
    table.add_column(HOSTILE)
    table.add_row(HOSTILE)
    console = console_for(stream)
    console.print(HOSTILE, markup=False)
    console.print(table, style="red")
    assert "\x1b" not in stream.getvalue()
    assert stream.getvalue().count("a\\x1b[2J") == 4


def test_text_goes_to_the_terminal_at_one_place() -> None:
    """No command prints past `output`, where text is made visible."""
    past = {"print", "sys.stdout.write", "sys.stderr.write", "typer.echo", "Console"}
    for path in Path(genbench.cli.__file__).parent.glob("*.py"):
        calls = {
            ast.unparse(node.func) for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Call)
        }
        assert path.name == "output.py" or not calls & past, path.name


@pytest.mark.usefixtures("finished")
def test_a_terminal_that_is_not_utf8(genbench, folder: Path) -> None:
    """No traceback, and the gate's exit code is that of its verdict."""
    suite = (folder / "tiny.yaml").read_text().replace("title: Tiny", "title: Tiny ≥ 流")
    (folder / "tiny.yaml").write_text(suite, encoding="utf-8")
    genbench("accept", "tiny.yaml")
    for command, words in {
        "check tiny.yaml --allow-inconclusive": "exit code 0", "run tiny.yaml": "are done",
        "list": "autoencoder", "info fid": "Fr", "run --help": "--only",
        "show flow--ring--s0": "provenance",
    }.items():
        for encoding in ("latin-1", "ascii"):
            assert words in genbench(*command.split(), PYTHONIOENCODING=encoding).stdout
    done = shell(folder, "genbench show flow--ring--s0", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")
    assert "provenance" in done.stdout


def test_output_that_cannot_be_written(folder: Path) -> None:
    full = shell(folder, "genbench list > /dev/full")
    assert full.returncode == 2
    assert full.stderr.strip() == (
        "error: the output could not be written: No space left on device"
    )
    closed = shell(folder, "genbench validate tiny.yaml >&-")
    assert (closed.returncode, closed.stderr) == (0, "")
    assert shell(folder, "genbench validate missing.yaml >&- 2>&-").returncode == 2
    unread = shell(folder, "(genbench list; echo $? >&2) | :")
    assert unread.stderr == "0\n"


def test_a_run_outlives_whoever_watches_it(folder: Path) -> None:
    """The pipe of its progress is closed: what is trained is kept, and the report written."""
    done = shell(folder, "genbench run tiny.yaml --workers 1 | head -n 1")
    assert done.stderr == ""
    assert (folder / "results/tiny/working/report.md").exists()


def on_a_terminal(folder: Path, columns: int, *words: str) -> str:
    """What the command prints on a terminal of so many columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    environment = {key: value for key, value in os.environ.items() if key != "COLUMNS"}
    process = subprocess.Popen(
        [sys.executable, "-m", "genbench", *words], cwd=folder, stdout=theirs, stderr=theirs,
        env={**environment, "TERM": "xterm"},
    )
    os.close(theirs)
    text = b""
    with suppress(OSError):  # as Linux says that the other end is closed
        while part := os.read(ours, 65536):
            text += part
    os.close(ours)
    assert process.wait() == 0
    return text.decode()


def test_lists_have_headings_and_break_no_word(genbench, folder: Path) -> None:
    lines = on_a_terminal(folder, 60, "list").splitlines()
    headings = [line for line in lines if line and not line.startswith(" ")]
    kinds = ("models", "objectives", "methods", "datasets", "metrics", "figures", "executors",
             "suites")
    assert headings == [f"{kind}:" for kind in kinds]
    assert max(map(len, lines)) <= 60
    whole = genbench("list").stdout
    assert {word for line in lines for word in line.split()} == set(whole.split())
    first = next(line for line in whole.splitlines() if len(line) > 60)
    place = first.index(re.split(" {2,}", first.strip())[1])  # where its second column begins
    hanging = lines[lines.index(next(line for line in lines if line[:place] == first[:place])) + 1]
    assert len(hanging) - len(hanging.lstrip()) == place
    one, several = genbench("list", "metric"), genbench("list", "metrics")
    assert one.stdout == several.stdout
    typo = genbench("list", "modles", check=2)
    assert (typo.returncode, typo.stderr) == (
        2, "error: no kind 'modles'; did you mean 'models'?\n"
    )


@pytest.mark.usefixtures("finished")
def test_a_runs_specification_is_shown_when_asked_for(genbench, folder: Path) -> None:
    short = genbench("show", "flow--ring--s0").stdout
    assert "specification:" not in short
    assert "repeat:" in short
    assert "specification:" in genbench("show", "flow--ring--s0", "--spec").stdout


@pytest.mark.usefixtures("finished")
def test_samples_as_a_table(genbench, folder: Path) -> None:
    for name in ("x.csv", "x.npz"):
        genbench("sample", "flow--ring--s0", "--n", "5", "--out", name)
    head, *rows = (folder / "x.csv").read_text().splitlines()
    assert head == "x0,x1"
    written = np.array([[float(cell) for cell in row.split(",")] for row in rows], np.float32)
    np.testing.assert_array_equal(written, np.load(folder / "x.npz")["samples"])
    other = genbench("sample", "flow--ring--s0", "--out", "x.txt", check=2)
    assert "expected a file that ends in .png, .npz or .csv" in other.stderr


def test_no_home(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless(*_: object) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("GENBENCH_CACHE", raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    monkeypatch.setattr(Path, "expanduser", homeless)
    with pytest.raises(GenbenchError, match="GENBENCH_CACHE"):
        cache_folder()
    with pytest.raises(GenbenchError, match="there is no such home folder"):
        at_home(Path("~/x"))
    assert at_home("x/~") == "x/~"


def test_a_tilde_behind_an_equals_sign(genbench, folder: Path) -> None:
    """Which no shell expands."""
    (folder / "home").mkdir()
    home = {"HOME": str(folder / "home")}
    little = ("--limit-updates", "2", "--only", "flow", "--seeds", "1")
    genbench("run", "tiny.yaml", *little, "--results=~/x", **home)
    genbench("table", "tiny.yaml", "--results=~/x", **home)
    genbench("check", "tiny.yaml", "--update", "--baseline=~/b.json", "--results=~/x", check=None,
             **home)
    assert (folder / "home/x/tiny/working/limited-2/report.md").exists()
    assert not (folder / "~").exists()


def test_a_data_folder_that_is_not_there(genbench, folder: Path) -> None:
    gone = {"GENBENCH_DATA": str(folder / "gone")}
    trial = ("--limit-updates", "2", "--only", "flow", "--seeds", "1")
    genbench("run", "tiny.yaml", *trial, **gone)
    (folder / "needs.yaml").write_text(
        (folder / "tiny.yaml").read_text()
        .replace("{ring: {modes: 4, test_size: 500}}", "[mnist]").replace("nll_gap, ", "")
    )
    needed = genbench("run", "needs.yaml", "--only", "flow", check=2, **gone)
    assert "dataset 'mnist' is read from" in needed.stderr
    assert "gone, and there is no such folder; name another with --data" in needed.stderr
    assert not (folder / "gone").exists()
    typo = genbench("run", "tiny.yaml", "--dry-run", "--offline", "--data", "gone", check=2)
    assert "--data gone: there is no such folder" in typo.stderr
