"""Accepting is stopped anywhere, runs twice at once, or meets archives that are damaged."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import warm

from genbench.store.acceptance import FORMAT, NOTE
from genbench.store.accepted import AcceptedRuns, _members, _zipped

SUITE = "results/tiny"
STOPPED = """\
import errno, os, signal, sys
import genbench as gb

at, how = {at}, {how!r}
renamed, removed, count = os.replace, os.unlink, 0

def stop(call):
    def counted(*words, **more):
        global count
        count += 1
        if count == at and how == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        if count == at and how == "full":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        call(*words, **more)
        if count == at and how == "after":
            os.kill(os.getpid(), signal.SIGKILL)
    return counted

os.replace = stop(renamed)
try:
    gb.accept("tiny.yaml")
except gb.GenbenchError as error:
    print(error)
    sys.exit(2)
print(count)
"""


@pytest.fixture(autouse=True)
def inside(folder: Path, finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("GENBENCH_CACHE", str(folder / "cache"))


def held() -> dict[str, bytes]:
    """Every file that accept writes, by its path."""
    return {
        str(path): path.read_bytes() for path in sorted(Path("results").rglob("*"))
        if path.is_file() and not {"runs", "working"} & set(path.parts)
        and path.name != "suite.txt"
    }


def stopped(folder: Path, at: int, how: str) -> tuple[int, str]:
    done = warm.python(["-c", STOPPED.format(at=at, how=how)], folder)
    return done.returncode, done.stdout


def whole() -> list[str]:
    """The accepted runs, each of which can be read."""
    accepted = AcceptedRuns(Path(SUITE, "accepted"))
    for name in accepted.names():
        accepted.run(name).check()
    return accepted.names()


def test_it_can_be_stopped_at_any_write_and_be_done_again(folder: Path) -> None:
    """At each of some instants: what was accepted before is whole, and again gives the bytes."""
    code, writes = stopped(folder, 0, "never")
    assert code == 0
    bytes_of_all, names = held(), whole()
    first = sorted(names)[0]
    last = int(writes) - 1  # one archive is there
    assert last > len(names) + 5
    for at, how in (
        (3, "before"), (4, "after"), (5, "full"), (last - 4, "before"), (last - 3, "full"),
        (last - 2, "after"),
    ):
        for path in Path(SUITE, "accepted").glob("*.zip"):
            if path.stem != first:
                path.unlink()
        for path in (f"{SUITE}/report.md", "results/claims.md"):
            Path(path).write_text("old\n")
        shutil.rmtree(Path(SUITE, "figures"))
        code, said = stopped(folder, at, how)
        if how == "full":
            assert (code, said.count("\n")) == (2, 1)
            assert "No space left on device" in said
        else:
            assert code == -9
        assert first in whole()
        assert (Path(SUITE, "report.md").read_bytes()
                in (b"old\n", bytes_of_all[f"{SUITE}/report.md"]))
        assert stopped(folder, 0, "never")[0] == 0
        assert held() == bytes_of_all, "and no temporary file is left"


def test_two_at_once_write_the_report_of_both(folder: Path) -> None:
    """The one waits for the other, and so does not write what it read before the other came."""
    script = """
import os, time
import genbench as gb

replace, child = os.replace, os.fork()
def slowly(one, other):
    if str(other).endswith("report.md"):
        time.sleep(4)
    replace(one, other)
if child:
    os.replace = slowly
    gb.accept("tiny.yaml", only=["flow", "real"], partial=True)
    assert os.waitpid(child, 0)[1] == 0
else:
    time.sleep(0.5)
    gb.accept("tiny.yaml", only="gan", partial=True)
    os._exit(0)
"""
    done = warm.python(["-c", script], folder)
    assert done.returncode == 0, done.stderr
    assert len(whole()) == 5
    assert "5 runs: 5 done." in Path(SUITE, "report.md").read_text()


def test_a_damaged_archive_is_replaced_by_who_has_the_run(genbench, folder: Path) -> None:
    genbench("accept", "tiny.yaml")
    before = held()
    path = sorted(Path(SUITE, "accepted").glob("gan--*"))[0]
    content = path.read_bytes()
    for bad in (b"", content[:1000], content[:500] + b"x" + content[501:]):
        path.write_bytes(bad)
        said = genbench("check", "tiny.yaml", check=2).stderr
        assert said.count("\n") == 1
        assert f"{path} is damaged" in said
        assert "run the suite here and accept the run anew" in said
        assert "5 runs, 1 of them written" in genbench("accept", "tiny.yaml").stdout
        assert held() == before


def test_an_archive_of_a_newer_genbench_is_left_alone(genbench, folder: Path) -> None:
    genbench("accept", "tiny.yaml")
    path = sorted(Path(SUITE, "accepted").glob("gan--*"))[0]
    members = _members(path, path.read_bytes())
    note = json.loads(members[NOTE])
    members[NOTE] = json.dumps({**note, "format": FORMAT + 1, "genbench": "9.9"}).encode()
    path.write_bytes(_zipped(members))
    newer = path.read_bytes()
    for words in (("accept", "tiny.yaml"), ("check", "tiny.yaml")):
        said = genbench(*words, check=2).stderr
        assert said.count("\n") == 1
        assert f"{path} was written by genbench 9.9" in said
    assert path.read_bytes() == newer
    shutil.rmtree(Path(SUITE, "runs"))
    said = genbench("report", "tiny.yaml", check=2).stderr
    assert "install that version" in said
