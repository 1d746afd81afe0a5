from __future__ import annotations

import io
import json
import math
from dataclasses import replace

import pandas as pd
import pytest

from genbench.errors import StoreError
from genbench.lookup import describe
from genbench.store.frame import DTYPES, frame_of
from genbench.store.measurement import Measurement
from genbench.store.runs import Status, Store
from genbench.store.table import FORMATS, MetricRow, expected_values, tidy, unmeasured_lines
from genbench.suites.spec import MetricSpec, ProtocolSpec


@pytest.fixture
def filled(tmp_path, fake):
    plan = fake.make_plan(tmp_path)
    store = Store(tmp_path / "results" / "fake")
    fake.fill(plan, store)
    return plan, store


def pick(frame, method, dataset, seed, metric):
    rows = frame[(frame.method == method) & (frame.dataset == dataset) & (frame.seed == seed)
                 & (frame.metric == metric)]
    assert len(rows) == 1
    return rows.iloc[0]


def test_one_row_for_each_run_and_metric(filled):
    plan, store = filled
    frame = frame_of(tidy(plan, store))
    assert list(frame.columns) == list(DTYPES)
    assert len(frame) == len(plan.runs) * 4
    assert not frame.duplicated(["run", "metric"]).any()
    assert frame.value.notna().equals(frame.status == "ok")


def test_what_has_no_number_has_a_status_and_a_reason(filled):
    plan, store = filled
    frame = frame_of(tidy(plan, store))
    row = pick(frame, "gan", "digits", 1, "fid")
    assert (row.status, row.better) == ("diverged", "lower")
    assert row.reason == "critic.wasserstein became nan at update 301"
    assert row.updates == 301
    row = pick(frame, "mixflow", "ring", 2, "covered_k5")
    assert (row.status, row.reason, row.title) == ("queued", "not run yet", "covered at 5")
    row = pick(frame, "gan", "ring", 0, "nll")
    assert (row.status, row.reason) == ("skipped", "the model has no exact density")
    row = pick(frame, "nice", "digits", 0, "fid")
    assert row.sampling_std == 0.4
    assert (row.examples, row.seconds, row.device) == (192000, 12.5, "cpu")


@pytest.mark.parametrize("status", [
    Status("failed", "ValueError: no"), Status("interrupted", "", 300, 1500),
    Status("timed-out", "", 300, 1500),
])
def test_unfinished_runs_give_their_state(filled, status):
    plan, store = filled
    spec = plan.runs[-1]
    with store.claim(spec.id) as held:
        held.write_status(status)
    rows = frame_of(tidy(plan, store)).query("run == @spec.id")
    assert set(rows.status) == {status.state}
    assert set(rows.reason) == {status.reason or "at update 300 of 1,500"}
    assert rows.value.isna().all()


def test_other_options_of_a_metric_are_not_measured_yet(filled, fake, tmp_path):
    _, store = filled
    frame = frame_of(tidy(fake.make_plan(tmp_path, k=7), store))
    row = pick(frame, "nice", "ring", 0, "covered_k7")
    assert row.status == "queued"
    assert row.reason == "measured with other settings (k 5, now 7); run the suite again"
    assert pick(frame, "nice", "ring", 0, "nll").status == "ok"
    assert "covered_k5" not in set(frame.metric)


def test_what_genbench_run_would_measure_is_a_line(filled, fake, tmp_path):
    plan, store = filled
    assert unmeasured_lines(tidy(plan, store), "fake.yaml") == []
    rows = tidy(fake.make_plan(tmp_path, k=7), store)
    trained = len({row.run for row in rows if row.metric == "nll" and row.status != "queued"}) - 1
    assert unmeasured_lines(rows, "fake.yaml") == [
        "modes_covered, covered_k7: measured with other settings (k 5, now 7) in "
        f"{trained} trained runs; `genbench run fake.yaml` measures them, without training"
    ]
    other = replace(plan, runs=tuple(
        run.model_copy(update={"protocol": ProtocolSpec(sets=5)}) for run in plan.runs
    ))
    [line] = unmeasured_lines(tidy(other, store), "fake.yaml")
    assert line.startswith("nll, fid, modes_covered, covered_k5: measured with other settings (s")


def test_an_option_that_came_later_has_the_value_of_then(tmp_path, fake):
    """As `genbench run` has it, which measures nothing of such a run."""
    plan = fake.make_plan(tmp_path, methods=("nice",), datasets=("ring",), seeds=1)
    now = MetricSpec(name="sliced_wasserstein", options={
        option.name: option.default for option in describe("metric", "sliced_wasserstein").options
    })
    then = now.model_copy(update={"options": {"projections": 500, "size": 10_000}})
    store, spec = Store(tmp_path / "results"), plan.runs[-1]
    with_metric = [spec.model_copy(update={"evaluate": [one]}) for one in (then, now)]
    store.prepare()
    with store.claim(spec.id) as held:
        held.write_spec(with_metric[0])
        held.write_metrics(with_metric[0], [Measurement(metric="swd", status="ok", value=0.1)], {})
        held.write_status(Status("done"))
        held.seal()
    assert store.run(spec.id).record().measured(with_metric[1])
    [row] = tidy(replace(plan, runs=(with_metric[1],)), store)
    assert (row.metric, row.status, row.value) == ("swd", "ok", 0.1)


def test_a_damaged_run_is_an_error_that_names_the_file(filled):
    plan, store = filled
    path = store.run(plan.runs[0].id).path / "metrics.json"
    path.write_text(path.read_text()[:50])
    with pytest.raises(StoreError, match=r"metrics\.json is damaged.*--repair"):
        tidy(plan, store)


def test_an_empty_store_gives_queued_rows(tmp_path, fake):
    frame = frame_of(tidy(fake.make_plan(tmp_path), Store(tmp_path / "nothing")))
    assert set(frame.status) == {"queued"}
    assert frame.value.dtype == float
    assert not (tmp_path / "nothing").exists()


def test_names_of_values_hold_options(tmp_path, fake):
    fake.make_plan(tmp_path)
    values = expected_values(MetricSpec(name="fakes.py:Covered", options={"k": 3}), str(tmp_path))
    assert list(values) == ["modes_covered", "covered_k3"]


def test_csv_of_awkward_cells_is_as_pandas_writes_it():
    texts = ["", 'a "b"', "a, b", "1\n2", "return\r", "ring", "é"]
    counts = [1, 0, None, 2**40, 1, 0, -3]
    values = [0.0, -0.0, None, math.inf, 1e-300, 0.1 + 0.2, 5.0]
    rows = [
        MetricRow("s", "m", "d", seed, text, "v1", value, "lower", text, "ok", "plain", "r",
            updates=count, limited=seed % 2 == 0)
        for seed, (text, count, value) in enumerate(zip(texts, counts, values, strict=True))
    ]
    assert FORMATS["csv"](rows) == frame_of(rows).to_csv(index=False, lineterminator="\n")
    assert FORMATS["csv"]([]) == frame_of([]).to_csv(index=False, lineterminator="\n")


def test_csv_and_json_read_back_to_the_last_bit(filled):
    rows = tidy(*filled)
    frame = frame_of(rows)
    assert FORMATS["csv"](rows) == frame.to_csv(index=False, lineterminator="\n")
    from_csv = pd.read_csv(io.StringIO(FORMATS["csv"](rows)))
    from_json = json.loads(FORMATS["json"](rows))
    assert len(from_csv) == len(from_json) == len(frame)
    for value, csv, record in zip(frame.value, from_csv.value, from_json, strict=True):
        if math.isnan(value):
            assert math.isnan(csv)
            assert record["value"] is None
        else:
            assert value == csv == record["value"]
    assert list(from_json[0]) == list(DTYPES)


def test_markdown_has_a_line_for_each_row(filled):
    first, *others = tidy(*filled)
    rows = [first._replace(reason="a | b\nc"), *others]
    lines = FORMATS["markdown"](rows).splitlines()
    assert len(lines) == len(rows) + 2
    assert "a \\| b c" in lines[2]
    assert "nan" not in FORMATS["markdown"](rows).replace("became nan", "").lower()
