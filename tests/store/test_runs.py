from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
import threading
import time

import numpy as np
import pytest

from genbench.errors import StoreError
from genbench.store.measurement import Measurement
from genbench.store.runs import FINAL, RunFolder, Status, Store
from genbench.suites.former import read_spec


@pytest.fixture
def finished(tmp_path, fake):
    plan = fake.make_plan(tmp_path, methods=("nice",), datasets=("ring",), seeds=1)
    store = Store(tmp_path / "results" / "fake")
    fake.fill(plan, store, spoil=False)
    spec = plan.runs[-1]
    return store, spec, store.run(spec.id)


def test_everything_reads_back_as_it_was_written(finished):
    _, spec, folder = finished
    assert folder.id == spec.id
    assert folder.spec() == read_spec(spec.model_dump(mode="json"))
    assert folder.spec().id == spec.id
    assert folder.status() == Status("done", "", 1500, 1500, 12.5)
    assert folder.state == "done"
    assert folder.metrics()["measurements"][0].metric == "nll"
    assert folder.provenance()["versions"]["torch"] == "2.14.1"
    assert folder.samples()["log_density"].shape == (60, 60)
    folder.verify()


def test_a_run_that_was_never_touched_is_queued_and_empty(tmp_path):
    folder = RunFolder(tmp_path / "none")
    assert folder.state == "queued"
    assert folder.state not in FINAL
    assert folder.curves() == []
    assert folder.series() == {}
    assert folder.samples() == {}
    assert folder.metrics()["measurements"] == []
    assert not folder.path.exists()


def test_curves_read_back_to_the_last_bit(tmp_path):
    store = Store(tmp_path)
    store.prepare()
    folder = store.run("run")
    rows = [
        {"update": 1, "stage": 0, "player": "model", "term": "nll", "value": 0.1 + 0.2},
        {"update": 2, "stage": 1, "player": "a,b", "term": 'x "y"', "value": -1e-300},
        {"update": 3, "stage": 1, "player": "model", "term": "nll", "value": math.inf},
    ]
    for written in (rows, rows[::2]):  # with and without names that need quotes
        with store.claim("run") as held:
            held.write_curves(written)
        assert folder.curves() == written
    assert folder.series()["model", "nll"].tolist() == [[1, 3], [0.1 + 0.2, math.inf]]


@pytest.mark.parametrize("text", [
    "", "update,stage,player,term,value", "update,stage,player,term,value\n1,0,model,nll,2",
    "update,stage,player,term,value\n1,0,model,nll\n",
    "update,stage,player,term,value\n1,0,model,nll,two\n", "step,loss\n1,2\n",
])
def test_damaged_curves_are_named(tmp_path, text):
    folder = RunFolder(tmp_path)
    (tmp_path / "curves.csv").write_text(text)
    for read in (folder.curves, folder.series):
        with pytest.raises(StoreError, match=r"curves\.csv is damaged.*--repair"):
            read()


def test_a_result_whose_last_write_never_came_counts_as_interrupted(finished):
    _, _, folder = finished
    (folder.path / "checksums.json").unlink()
    assert folder.state == "interrupted"
    assert folder.state not in FINAL


def test_every_write_breaks_the_seal(finished):
    store, spec, folder = finished
    writes = (
        lambda run: run.write_spec(spec), lambda run: run.write_curves([]),
        lambda run: run.write_status(folder.status()), lambda run: run.write_provenance({}),
        lambda run: run.write_metrics(spec, [], {}), lambda run: run.write_samples({}),
        lambda run: run.write_text("traceback.txt", "x"),
        lambda run: run.write_checkpoint(lambda path: path.write_bytes(b"x")),
    )
    with store.claim(spec.id) as held:
        for write in writes:
            held.seal()
            assert folder.sealed
            write(held)
            assert not folder.sealed


def test_a_failed_run_is_not_finished_and_a_diverged_one_is(finished):
    store, spec, folder = finished
    for state, final in (("failed", False), ("diverged", True), ("timed-out", False)):
        with store.claim(spec.id) as held:
            held.write_status(Status(state, "why"))
            held.seal()
        assert (folder.state in FINAL) is final


@pytest.mark.parametrize("name", [
    "status.json", "metrics.json", "spec.yaml", "samples.npz", "curves.csv", "provenance.json",
    "checksums.json",
])
@pytest.mark.parametrize("harm", ["cut", "flip", "remove"])
def test_verify_names_the_damaged_file(finished, name, harm):
    store, spec, folder = finished
    path = folder.path / name
    content = path.read_bytes()
    if harm == "remove":
        path.unlink()
    elif harm == "cut":
        path.write_bytes(content[: len(content) // 2])
    else:
        path.write_bytes(content.replace(b"1", b"2"))
    if name == "checksums.json" and harm == "remove":
        assert folder.state == "interrupted"
        return
    with pytest.raises(StoreError, match=r"is damaged.*--repair") as error:
        folder.verify()
    assert "\n" not in str(error.value)
    # A wrong checksum shows at the file that it is of.
    assert name in str(error.value) or (name == "checksums.json" and harm == "flip")
    assert list(store.damaged()) == [spec.id]


@pytest.mark.parametrize("text", [
    "", "[1]", "x: [", "seed: 2020-13-45", "seed: !!timestamp soon", "seed: 0x_", "a: &a [*a]",
    "? [a]\n: b", "seed: zero",
])
def test_a_damaged_specification_is_one_clear_line(finished, text):
    _, _, folder = finished
    (folder.path / "spec.yaml").write_text(text)
    with pytest.raises(StoreError, match=r"spec\.yaml is damaged") as error:
        folder.spec()
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("text", ["", "{", "[1]", "\x00", '{"state": "asleep"}'])
def test_a_damaged_status_is_one_clear_line(finished, text):
    _, _, folder = finished
    (folder.path / "status.json").write_text(text)
    with pytest.raises(StoreError, match=r"status\.json is damaged"):
        _ = folder.state


def test_check_compares_sizes_without_reading(finished):
    _, _, folder = finished
    folder.check()
    with (folder.path / "samples.npz").open("ab") as file:
        file.write(b"x")
    with pytest.raises(StoreError, match=r"samples\.npz"):
        folder.check()


def test_pickles_in_samples_are_refused(finished):
    _, _, folder = finished
    np.savez(folder.samples_path, samples=np.array([{"a": 1}], dtype=object))
    with pytest.raises(StoreError, match=r"samples\.npz is damaged"):
        folder.samples()


def test_repair_moves_the_folder_aside_and_queues_the_run(finished):
    store, spec, folder = finished
    assert store.repair(spec.id) is None  # it is whole
    for number in (1, 2):
        folder.path.mkdir(exist_ok=True)
        (folder.path / "mark").write_text(str(number))
        (folder.path / "status.json").write_text("{")
        with store.claim(spec.id):
            assert store.repair(spec.id) is None  # another has it
        moved = store.repair(spec.id)
        assert moved.name == f"{spec.id}-{number}"
        assert (moved / "mark").read_text() == str(number)
        assert folder.state == "queued"
    assert spec.id not in [run.id for run in store.runs()]


def test_numbers_asked_for_otherwise_are_not_measured(finished):
    store, spec, folder = finished
    assert folder.record().measured(spec)
    other = spec.model_copy(update={"evaluate": spec.evaluate[:1]})
    assert not folder.record().measured(other)
    with store.claim(spec.id) as held:
        held.write_status(Status("diverged", "nll became nan at update 3"))
        held.seal()
    assert folder.record().measured(other)


def test_a_record_without_numbers_is_not_measured(finished):
    store, spec, folder = finished
    (folder.path / "metrics.json").unlink()
    with store.claim(spec.id) as held:
        held.seal()
    assert not folder.record().measured(spec)


def test_a_number_that_failed_is_tried_again(finished):
    store, spec, folder = finished
    stored = json.loads((folder.path / "metrics.json").read_text())
    stored["measurements"][0] |= {"status": "failed", "value": None, "reason": "the disk is full"}
    with store.claim(spec.id) as held:
        held.write_metrics(spec, [Measurement(**one) for one in stored["measurements"]], {})
        held.seal()
    assert not folder.record().measured(spec)


def test_a_fingerprint_is_the_seals_or_that_of_what_lies_there(finished):
    store, spec, folder = finished
    expected = hashlib.sha256(folder.curves_path.read_bytes()).hexdigest()
    assert folder.fingerprint("curves.csv") == expected
    with store.claim(spec.id) as held:
        held.write_curves([])
    assert not folder.sealed
    expected = hashlib.sha256(folder.curves_path.read_bytes()).hexdigest()
    assert folder.fingerprint("curves.csv") == expected


def test_one_runner_holds_a_run(tmp_path):
    store = Store(tmp_path)
    store.prepare()
    order = []

    def work(name):
        with store.claim("run", timeout=10) as mine:
            assert mine
            order.append((name, "in"))
            time.sleep(0.05)
            order.append((name, "out"))

    workers = [threading.Thread(target=work, args=(name,)) for name in "abc"]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [name for name, _ in order[::2]] == [name for name, _ in order[1::2]]
    with store.claim("run") as mine, store.claim("run") as second:
        assert mine
        assert not second
    assert store.runs() == []


def test_whoever_holds_a_run_sweeps_what_a_killed_process_was_writing(finished):
    store, _, folder = finished
    torn = folder.path / ".checkpoint.safetensors.x1y2.tmp"
    torn.write_bytes(b"half")
    with store.claim(folder.id):
        assert not torn.exists()
    folder.verify()


def test_a_store_that_cannot_be_made_says_so(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"cannot make.*--results"):
        Store(tmp_path / "file").prepare()


def test_two_hundred_finished_runs_read_quickly(tmp_path, fake):
    plan = fake.make_plan(tmp_path, datasets=("ring",), seeds=1)
    store = Store(tmp_path / "results")
    spec = plan.runs[1]
    fake.write_run(spec, store)
    folder = store.run(spec.id)
    start = time.process_time()
    for _ in range(200):
        assert folder.state == "done"
        folder.check()
        folder.metrics()
    assert time.process_time() - start < 0.5


def test_metrics_keep_the_budget_and_what_was_asked(finished):
    _, _, folder = finished
    stored = json.loads((folder.path / "metrics.json").read_text())
    assert stored["budget"]["examples"] == 1500 * 128
    assert stored["asked"]["protocol"] == {"samples": None, "sets": 3}


def test_how_a_run_ended_is_recorded_by_whoever_has_its_lock_alone(finished):
    store, spec, folder = finished
    before = {path.name: path.read_bytes() for path in folder.path.iterdir()}
    # a runner that was stopped wakes: meanwhile others finished the run, or work on it
    assert store.conclude(spec.id, "failed", "killed").state == "done"
    with store.claim(spec.id):
        assert store.conclude(spec.id, "failed", "killed").state == "busy"
    assert before == {path.name: path.read_bytes() for path in folder.path.iterdir()}
    with store.claim(spec.id) as held:
        held.write_status(Status("running", "", 700, 1500, 3.5))
    store.conclude(spec.id, "timed-out", "too long")
    assert folder.status() == Status("timed-out", "too long", 700, 1500, 3.5)


def test_a_run_that_nobody_holds_is_not_running(finished):
    store, spec, folder = finished
    with store.claim(spec.id) as held:
        held.write_status(Status("running", "", 700, 1500, 3.5))
        assert folder.state == store.run(spec.id).record().status.state == "running"
    assert folder.state == store.run(spec.id).record().status.state == "interrupted"
    shutil.rmtree(store.runs_folder / ".locks")  # as in a copy of the results
    assert folder.state == "interrupted"
    assert not (store.runs_folder / ".locks").exists()


def test_a_lock_that_cannot_be_had_is_one_line(finished):
    store, spec, folder = finished
    lock = store.runs_folder / ".locks" / f"{spec.id}.lock"
    lock.unlink(missing_ok=True)
    lock.mkdir()
    for act in (lambda: store.claim(spec.id).__enter__(), lambda: store.repair(spec.id),
                lambda: store.conclude(spec.id, "failed", "why")):
        with pytest.raises(StoreError, match=r"cannot lock .*\.lock") as error:
            act()
        assert "\n" not in str(error.value)
    assert folder.state == "done"


@pytest.mark.parametrize("instead", [False, True], ids=["gone", "made anew"])
def test_nothing_is_written_where_the_folder_went_away(finished, instead):
    store, spec, folder = finished
    with store.claim(spec.id) as held:
        aside = store.root / "aside"
        folder.path.rename(aside)
        if instead:
            folder.path.mkdir()
        with pytest.raises(StoreError, match="went away, or another took its place"):
            held.write_curves([])
        assert folder.path.exists() == instead
        assert not instead or list(folder.path.iterdir()) == []
    assert RunFolder(aside).state == "done"


@pytest.mark.parametrize("what", ["the run", "all runs"])
def test_a_folder_that_goes_while_a_file_is_written_is_told_and_not_made_anew(finished, what):
    store, spec, folder = finished
    moved = folder.path if what == "the run" else store.runs_folder

    def fill(temporary):
        temporary.write_bytes(b"x")
        moved.rename(store.root / "aside")

    with store.claim(spec.id) as held:
        with pytest.raises(StoreError, match="went away, or another took its place"):
            held.write_checkpoint(fill)
        with pytest.raises(StoreError, match="went away, or another took its place"):
            held.seal()
    assert not folder.path.exists()


def test_who_reads_a_run_while_another_measures_it_anew_sees_no_damage(finished, monkeypatch):
    store, spec, folder = finished
    check = folder.check

    def late_check():
        monkeypatch.setattr(folder, "check", check)
        with store.claim(spec.id) as held:  # between the look at the status and at the files
            held.write_metrics(spec, [], {}, ["measured anew"])
            held.seal()
        raise StoreError("sizes of two times")

    monkeypatch.setattr(folder, "check", late_check)
    assert folder.record().metrics["notes"] == ["measured anew"]


def test_a_number_that_was_changed_is_not_shown_whatever_the_files_time_says(finished):
    _, _, folder = finished
    path = folder.path / "metrics.json"
    about, text = path.stat(), path.read_text()
    digit = next(index for index, sign in enumerate(text) if sign.isdigit())
    path.write_text(text[:digit] + str(9 - int(text[digit])) + text[digit + 1:])
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))
    with pytest.raises(StoreError, match=r"metrics\.json is damaged"):
        folder.record()


@pytest.mark.parametrize("number", ["1e400", "-1e400", "9" * 500, "NaN"])
@pytest.mark.parametrize("field", ["value", "sampling_std"])
def test_a_number_that_is_none_is_damage(finished, number, field):
    store, spec, folder = finished
    path = folder.path / "metrics.json"
    stored = json.loads(path.read_text())
    stored["measurements"][0][field] = "HERE"
    path.write_text(json.dumps(stored).replace('"HERE"', number))
    with store.claim(spec.id) as held:
        held.seal()
    with pytest.raises(StoreError, match=r"metrics\.json is damaged") as error:
        folder.record()
    assert "\n" not in str(error.value)
