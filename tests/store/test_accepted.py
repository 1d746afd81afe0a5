"""Archives of accepted runs: what they hold, their bytes, and what is noticed of damage."""

from __future__ import annotations

import io
import json
import math
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genbench.errors import GenbenchError, StoreError
from genbench.store import accepted as module
from genbench.store._curves import csv_bytes, packed, unpacked
from genbench.store.acceptance import Acceptance
from genbench.store.accepted import AcceptedRuns, members_of
from genbench.store.accepting import acceptable
from genbench.store.find import find_run
from genbench.store.reuse import accepted_of, remember_reused, reused
from genbench.store.runs import RunFolder, Store

THEN = ("2026-01-02", "0.1.0", "a CPU", "Linux")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GENBENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def stored(tmp_path: Path, fake):
    """A plan, its raw store, and the archives of all of its runs below another folder."""
    plan = fake.make_plan(tmp_path, methods=("nice",), datasets=("ring",), seeds=2)
    store = Store(tmp_path / "here" / "fake")
    fake.fill(plan, store, spoil=False)
    accepted = AcceptedRuns(tmp_path / "there" / "fake" / "accepted")
    for spec in plan.runs:
        folder = store.run(spec.id)
        assert accepted.write(Acceptance(spec.id, *THEN), members_of(folder, frozenset()))
    return plan, store, accepted


def test_a_run_reads_as_it_was_stored(stored) -> None:
    plan, raw, accepted = stored
    store = Store(accepted.folder.parent, [accepted])
    for spec in plan.runs:
        before, now = raw.run(spec.id), store.run(spec.id)
        now.verify()
        assert now.id == spec.id
        assert now.record() == before.record()
        assert now.provenance() == before.provenance()
        assert now.curves() == before.curves()
        assert now.spec() == before.spec().model_copy(update={"folder": ""})
        assert {k: v.tobytes() for k, v in now.samples().items()} == {
            k: v.tobytes() for k, v in before.samples().items()}
        assert now.acceptance() == Acceptance(spec.id, *THEN)
        assert before.acceptance() is None
        assert store.is_accepted(spec.id)
        assert not now.checkpoint.exists()


def test_the_run_itself_comes_before_its_archive(stored) -> None:
    plan, raw, accepted = stored
    spec = plan.runs[-1]
    both = Store(raw.root, [accepted])
    assert both.run(spec.id).path == raw.run(spec.id).path
    raw.run(spec.id).path.rename(raw.root / "away")
    assert both.is_accepted(spec.id)
    (raw.root / "away").rename(raw.run(spec.id).path)
    assert not both.is_accepted(spec.id), "a run that was made since"
    assert both.names() == sorted(spec.id for spec in plan.runs)


def test_no_path_of_the_machine_and_no_pickle_is_in_it(stored, tmp_path: Path) -> None:
    _, _, accepted = stored
    for name in accepted.names():
        with zipfile.ZipFile(accepted.path(name)) as archive:
            assert "checkpoint.safetensors" not in archive.namelist()
            for member in archive.namelist():
                content = archive.read(member)
                assert str(tmp_path).encode() not in content
                if member.endswith(".npz"):
                    np.load(io.BytesIO(content), allow_pickle=False)


def test_equal_members_are_equal_bytes_and_stay_of_their_day(stored, monkeypatch) -> None:
    plan, raw, accepted = stored
    run = plan.runs[-1].id
    before = accepted.path(run).read_bytes()
    members = members_of(raw.run(run), frozenset())
    monkeypatch.setattr(module, "write_bytes", None)
    assert not accepted.write(Acceptance(run, "2027-12-31", "9", "", ""), members)
    monkeypatch.undo()
    assert accepted.path(run).read_bytes() == before
    accepted.remove(run)
    assert accepted.run(run) is None
    assert accepted.write(Acceptance(run, *THEN), members)
    assert accepted.path(run).read_bytes() == before
    assert accepted.write(Acceptance(run, *THEN), members_of(raw.run(run), None))
    assert len(accepted.path(run).read_bytes()) < len(before)


def test_of_samples_only_what_was_looked_at(stored) -> None:
    plan, raw, accepted = stored
    run = plan.runs[-1].id
    folder = RunFolder(raw.run(run).path)
    assert folder.samples_read is None
    samples = folder.samples()
    assert folder.samples_read == set()
    assert "nothing" not in samples
    assert samples["grid"].shape == (4,)
    assert "samples" in samples
    assert folder.samples_read == {"grid", "samples"}
    accepted.write(Acceptance(run, *THEN), members_of(folder, folder.samples_read))
    kept = accepted.run(run).samples()
    assert set(kept) == {"grid", "samples"}
    assert (kept["samples"] == samples["samples"]).all()
    list(samples)
    assert "log_density" in folder.samples_read, "who lists them may have looked at all"


def test_every_flipped_byte_is_noticed(stored, cache: Path) -> None:
    plan, _, accepted = stored
    run = plan.runs[-1].id
    path = accepted.path(run)
    whole = path.read_bytes()
    places = {*range(0, len(whole), 211), *range(40), *range(len(whole) - 120, len(whole))}
    for place in places:
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1:])
        with pytest.raises(StoreError, match="is damaged") as error:
            accepted.run(run)
        assert str(path) in str(error.value)
        assert "\n" not in str(error.value)
    for cut in (b"", whole[:100], whole[:-1], whole + b"x"):
        path.write_bytes(cut)
        with pytest.raises(StoreError, match="is damaged"):
            accepted.run(run)
    assert not cache.exists(), "nothing of it was unpacked"


def rewritten(path: Path, name: str, **changes: object) -> None:
    """An archive, whole but for its note."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    note = json.loads(members["accepted.json"]) | changes
    path.write_bytes(module._zipped({**members, "accepted.json": json.dumps(note).encode()}))
    path.rename(path.with_name(f"{name}.zip"))


def test_what_is_not_of_today_or_another_run_is_refused(stored) -> None:
    plan, _, accepted = stored
    first, second = (spec.id for spec in plan.runs[-2:])
    rewritten(accepted.path(first), first, format=2, genbench="7.0", cpu=["new"])
    with pytest.raises(StoreError, match=r"written by genbench 7\.0, in a format that"):
        accepted.run(first)
    rewritten(accepted.path(first), first, format=1, cpu="")
    accepted.run(first)
    accepted.path(first).unlink()
    accepted.path(second).rename(accepted.path(first))
    with pytest.raises(StoreError, match=f"damaged: it holds the run {second}"):
        accepted.run(first)


def test_what_is_damaged_in_the_cache_is_unpacked_anew(stored, cache: Path) -> None:
    plan, _, accepted = stored
    run = plan.runs[-1].id
    folder = accepted.run(run)
    assert cache in folder.path.parents
    kept = folder.path.stat().st_ino
    assert accepted.run(run).path.stat().st_ino == kept
    (folder.path / "metrics.json").write_text("{}")
    assert accepted.run(run).metrics()["measurements"]
    (folder.path / "checksums.json").unlink()
    accepted.run(run).verify()
    assert [path.name for path in folder.path.parent.iterdir()] == [run]


def test_a_cache_that_cannot_be_written_is_said(stored, cache: Path) -> None:
    cache.write_text("no folder")
    with pytest.raises(StoreError, match="GENBENCH_CACHE names another folder"):
        stored[2].run(stored[0].runs[0].id)


def test_a_damaged_run_is_not_accepted(stored) -> None:
    plan, raw, _ = stored
    folder = raw.run(plan.runs[-1].id)
    content = folder.curves_path.read_bytes()
    folder.curves_path.write_bytes(content.replace(b"1", b"2", 1))
    with pytest.raises(StoreError, match=r"curves\.csv is damaged"):
        members_of(folder, None)


def test_an_archive_is_found_by_the_id_of_today(stored) -> None:
    """As one that a genbench accepted which gave it another id."""
    plan, _, accepted = stored
    run = plan.runs[-1].id
    before = f"{run.rpartition('--')[0]}--01234567"
    rewritten(accepted.path(run), before, run=before)
    assert accepted.name_of(run) == before
    assert accepted.run(run).spec().id == run
    assert accepted.name_of(f"{run}0") is None


def test_a_run_is_found_by_name_and_by_its_archive(stored, tmp_path: Path) -> None:
    plan, _, accepted = stored
    results, run = accepted.folder.parents[1], plan.runs[-1].id
    for name in (run, run.rpartition("--")[0], run[-8:], f"fake/{run}", accepted.path(run)):
        assert find_run(str(name), results).id == run
    with pytest.raises(StoreError, match="could be any of") as error:
        find_run("nice", results)
    assert str(accepted.path(run)) in str(error.value)


def test_reused_results_are_read_beside_the_own(stored, tmp_path: Path) -> None:
    _, _, accepted = stored
    results = accepted.folder.parents[1]
    mine = results / "mine"
    for name in ("fake", "suites/fake.yaml", str(results / "fake")):
        assert reused([name], results) == [results / "fake"]
    with pytest.raises(GenbenchError, match="--reuse other: there are no accepted results in"):
        reused(["other"], results)
    assert [one.folder for one in accepted_of(mine)] == [mine / "accepted"]
    for _ in range(2):
        remember_reused(mine, [results / "fake", mine])
        assert [one.folder for one in accepted_of(mine)] == [mine / "accepted", accepted.folder]


def test_which_runs_can_be_accepted(tmp_path: Path, fake) -> None:
    plan = fake.make_plan(tmp_path)
    store = Store(tmp_path / "results/fake")
    with pytest.raises(StoreError, match="no run of fake is finished, so there is nothing"):
        acceptable(plan, store, partial=True)
    fake.fill(plan, store)
    with pytest.raises(StoreError, match=r"1 run \(mixflow--ring--s2--\w+: queued\) of .*--p"):
        acceptable(plan, store, partial=False)
    found = acceptable(plan, store, partial=True)
    assert len(found) == len(plan.runs) - 1, "a diverged run is a result"
    other = fake.make_plan(tmp_path, k=6)
    with pytest.raises(StoreError, match="measured with other metrics, or under another protocol"):
        acceptable(other, store, partial=True)


VALUES = st.one_of(st.floats(), st.floats(width=32))
ROWS = st.lists(st.tuples(
    st.integers(0, 2**31 - 1), st.integers(0, 9), st.sampled_from(["model", "a,b", 'x "y"\n']),
    st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=5), VALUES,
), max_size=20)


@given(ROWS)
def test_curves_come_out_of_the_packing_to_the_last_byte(rows) -> None:
    text = csv_bytes(rows)
    whole = packed(text)
    assert whole is None if not rows else unpacked(whole) == text


def test_curves_take_a_third_and_others_are_left_as_they_are() -> None:
    draw = np.random.default_rng(0).normal(size=2000).astype(np.float32)
    rows = [(i // 2, 0, ("critic", "model")[i % 2], "loss", v) for i, v in enumerate(draw)]
    text = csv_bytes(rows)
    assert 3 * len(zlib.compress(packed(text), 9)) < len(zlib.compress(text, 9))
    assert packed(text + b"1,2\n") is None
    assert packed(text.replace(b"critic,loss,", b"critic,loss,0", 1)) is None
    assert packed(csv_bytes([(2**40, 0, "model", "nll", math.nan)])) is None
