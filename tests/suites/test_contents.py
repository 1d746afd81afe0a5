"""What files hold, as a hash that is found again without reading them."""

from __future__ import annotations

import gzip
import hashlib
import os
import time
from pathlib import Path

import pytest

from genbench.errors import DataError
from genbench.suites import contents
from genbench.suites.contents import (
    called_from,
    data_key,
    datasets_of,
    file_contents,
    missing,
    with_contents,
)
from genbench.suites.expand import load_plan

SUITE = """\
datasets: {pics: {use: image_folder, path: pics}, ring: {test_size: 50}}
seeds: 2
budget: {updates: 1}
methods: {nice: {}}
evaluate: [nll]
"""


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENBENCH_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def pics(tmp_path: Path) -> Path:
    folder = tmp_path / "pics"
    for name in ("a/1.png", "a/2.png", "b/1.png"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())
    return folder


def test_names_and_contents_count_and_where_they_lie_does_not(pics: Path) -> None:
    first = file_contents(pics)
    (pics / ".hidden").write_text("x")
    os.utime(pics / "a/1.png")
    assert file_contents(pics) == first
    assert file_contents(pics.rename(pics.with_name("other"))) == first
    pics = pics.with_name("other")
    (pics / "a/1.png").rename(pics / "a/3.png")
    renamed = file_contents(pics)
    (pics / "a/3.png").write_bytes(b"a/1.pnG")
    assert len({first, renamed, file_contents(pics)}) == 3


def test_a_file_of_equal_size_and_time_is_seen_to_be_another(pics: Path) -> None:
    file = pics / "a/1.png"
    old = time.time() - 1000
    os.utime(file, (old, old))
    first = file_contents(pics)
    file.write_bytes(b"A/1.png")
    os.utime(file, (old, old))
    assert file_contents(pics) != first


def test_a_second_look_reads_no_file(pics: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contents, "_SETTLED", 0)
    first = file_contents(pics)
    monkeypatch.setattr(contents, "_hash", None)  # not to be called
    assert file_contents(pics) == first


def test_what_was_just_written_is_not_trusted_to_stay(pics: Path) -> None:
    """Two changes within the clock's tick look alike."""
    file_contents(pics)
    assert contents._remembered(next((pics.parent / "cache/contents").iterdir())) == {}


@pytest.mark.parametrize("memory", ["", "[1]", '{"": 3}', '{"a/1.png": [[1], 2]}', "\x00"])
def test_a_damaged_memory_is_made_anew(pics: Path, memory: str) -> None:
    first = file_contents(pics)
    [kept] = (pics.parent / "cache/contents").iterdir()
    kept.write_text(memory)
    assert file_contents(pics) == first


def test_a_folder_that_is_linked_into_itself_ends(pics: Path) -> None:
    first = file_contents(pics)
    (pics / "a/loop").symlink_to(pics)
    assert file_contents(pics) == first
    (pics.parent / "more").mkdir()
    (pics.parent / "more/x.png").write_text("x")
    (pics / "linked").symlink_to(pics.parent / "more")
    assert file_contents(pics) != first


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="gone"):
        file_contents(tmp_path / "gone")


def test_contents_decide_the_runs_on_them_alone(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(SUITE)
    plan = load_plan(tmp_path / "s.yaml")
    [(key, run)] = datasets_of(plan).items()
    assert run.dataset == "pics"
    one, two = (with_contents(plan, {key: held}) for held in ("1" * 16, "2" * 16))
    for before, a, b in zip(plan.runs, one.runs, two.runs, strict=True):
        assert (len({before.id, a.id, b.id}) == 3) == (before.dataset == "pics")
        assert data_key(a.data) == data_key(before.data)
        assert type(a).model_validate(a.model_dump()).id == a.id
    assert one.runs[-1] is plan.runs[-1]


@pytest.mark.parametrize(("written", "called"), [
    ("{tmp}/data/faces", "faces"), ("{tmp}/data/./faces/", "faces"), ("{tmp}/data", "."),
    ("{tmp}/data/set/../faces", "faces"), ("../data/faces", "faces"), ("~/data/faces", "faces"),
    ("{tmp}/link/faces", "faces"),  # the data folder by a link to it
    ("{tmp}/shortcut", "faces"),  # a link into it
    ("{tmp}/data/away", "away"),  # a link out of it
    ("{tmp}/data/loop", "loop"),
    # elsewhere, or short already: as it is written
    ("faces", "faces"), ("away", "away"), ("{tmp}/else", "{tmp}/else"), ("../else", "../else"),
    ("~/else", "~/else"), ("~nobody-here/x", "~nobody-here/x"),
    ("away/../else", "away/../else"), ("{tmp}/database", "{tmp}/database"),
])
@pytest.mark.parametrize("root", ["data", "link"])
def test_below_the_data_folder_every_spelling_of_a_path_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str, called: str, root: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for folder in ("data/faces", "data/set", "else", "database"):
        (tmp_path / folder).mkdir(parents=True)
    for link, target in (("link", "data"), ("shortcut", "data/faces"), ("data/away", "else"),
                         ("data/loop", "data/loop")):
        (tmp_path / link).symlink_to(tmp_path / target)
    (tmp_path / "s.yaml").write_text(
        SUITE.replace("path: pics", f"path: '{written.format(tmp=tmp_path)}'"))
    plan = called_from(load_plan(tmp_path / "s.yaml"), tmp_path / root)
    paths = {run.data.options["path"] for run in plan.runs if run.dataset == "pics"}
    assert paths == {called.format(tmp=tmp_path)}


def test_files_that_are_not_the_published_ones_are_hashed_packed_or_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "s.yaml").write_text("datasets: {mnist: {}}\nseeds: 1\nbudget: {updates: 1}\n"
                                     "methods: {nice: {}}\nevaluate: [nll]\n")
    plan = load_plan(tmp_path / "s.yaml")
    [run] = [run for run in plan.runs if run.method == "nice"]
    raw = tmp_path / "MNIST/raw"
    raw.mkdir(parents=True)
    names = list(contents.ARCHIVES["MNIST/raw"])
    for name in names:
        assert contents.contents_of(run, tmp_path) is None  # not all are there
        (raw / name).write_bytes(name.encode())
    altered = contents.contents_of(run, tmp_path)
    assert altered
    other = with_contents(plan, {data_key(run.data): altered})
    assert {a.id for a in plan.runs}.isdisjoint(b.id for b in other.runs)
    (raw / names[0]).unlink()
    (raw / f"{names[0]}.gz").write_bytes(gzip.compress(names[0].encode()))
    assert contents.contents_of(run, tmp_path) == altered
    published = {name: hashlib.md5(name.encode()).hexdigest() for name in names}
    monkeypatch.setattr(contents, "ARCHIVES", {"MNIST/raw": published})
    assert contents.contents_of(run, tmp_path) == contents.published("MNIST/raw")
    assert with_contents(plan, {data_key(run.data): ""}).runs == plan.runs
    (raw / f"{names[0]}.gz").write_bytes(b"no gzip")
    with pytest.raises(DataError, match="cannot be read"):
        contents.contents_of(run, tmp_path)


@pytest.mark.skipif("GENBENCH_DATA" not in os.environ, reason="needs the real files")
@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_the_real_files_are_the_published_ones(tmp_path: Path, name: str) -> None:
    (tmp_path / "s.yaml").write_text(f"datasets: {{{name}: {{}}}}\nseeds: 1\n"
                                     "budget: {updates: 1}\nmethods: {nice: {}}\n"
                                     "evaluate: [nll]\n")
    run = load_plan(tmp_path / "s.yaml").runs[0]
    assert run.data.contents == contents.published(contents.archive_of(run))
    assert contents.contents_of(run, Path(os.environ["GENBENCH_DATA"])) == run.data.contents


def test_what_is_not_there_is_named_before_anything_runs(pics: Path, tmp_path: Path) -> None:
    suite = tmp_path / "suite.yaml"
    suite.write_text(SUITE.replace("ring:", "mnist: {}, ring:"), encoding="utf-8")
    plan = load_plan(suite)
    (mnist,) = missing(plan, tmp_path)
    assert mnist.startswith(f"mnist: {tmp_path}/MNIST/raw is not there; `genbench fetch`")
    elsewhere = tmp_path / "elsewhere"
    assert f"pics: {elsewhere}/pics is not there" in missing(plan, elsewhere)
    (tmp_path / "MNIST" / "raw").mkdir(parents=True)
    assert missing(plan, tmp_path) == []
