from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from made_rows import rows_in

from genbench.judging.ranking import LEGEND
from genbench.reporting.numbers import Numbers
from genbench.reporting.results import gather
from genbench.reporting.sections._tables import make_tables
from genbench.reporting.sections.results import section
from genbench.store.frame import frame_of
from genbench.store.table import tidy
from genbench.suites.schema import Report


def tables_of(filled, report=None, change=None):
    plan, store = filled
    if report is not None:
        suite = plan.suite.model_copy(update={"report": Report.model_validate(report)})
        plan = replace(plan, suite=suite)
    frame = frame_of(tidy(plan, store))
    if change is not None:
        frame = change(frame)
    return make_tables(Numbers(plan, rows_in(frame))), frame


def cells(table):
    """Row label → column head → cell, of all parts of a table."""
    found = {}
    for part in table.text.replace("\u00a0", " ").split("\n\n"):
        if part.startswith("| method |"):
            head, _, *lines = ([cell.strip() for cell in line.strip("|\n ").split(" | ")]
                               for line in part.splitlines())
            for line in lines:
                found.setdefault(line[0], {}).update(zip(head, line, strict=False))
    return found


def row(table, start):
    return next(line for label, line in cells(table).items() if label.startswith(start))


def test_by_default_there_is_a_table_for_each_dataset(filled):
    tables, _ = tables_of(filled)
    assert [table.dataset for table in tables] == ["ring", "digits"]
    assert list(cells(tables[0])) == [
        "GAN", "NICE (EMA)", "Mixture of flows", "*real: train vs test*"
    ]


def test_a_cell_is_mean_and_std_over_seeds_and_the_best_is_bold(filled):
    tables, frame = tables_of(filled)
    values = frame.query("dataset == 'digits' and metric == 'fid' and method == 'mixflow'").value
    cell = row(tables[1], "Mixture")["FID ↓"]
    assert re.fullmatch(r"\*\*[\d.]+ ± [\d.]+\*\*", cell)
    mean, std = map(float, cell.strip("*").split(" ± "))
    assert mean == pytest.approx(values.mean(), abs=0.005)
    assert std == pytest.approx(values.std(), abs=0.005)
    assert "**" not in row(tables[1], "NICE")["FID ↓"]
    assert "**" not in row(tables[1], "*real")["FID ↓"]  # better than all, and no method


def test_the_direction_decides_what_is_best(filled):
    def up(frame):
        frame.loc[frame.metric == "fid", "better"] = "higher"
        return frame[frame.method != "real"]

    tables, _ = tables_of(filled, change=up)
    assert row(tables[1], "NICE")["FID ↑"].startswith("**")
    assert row(tables[1], "Mixture")["FID ↑"].endswith(" †")


def test_an_empty_cell_says_why(filled):
    tables, _ = tables_of(filled)
    assert row(tables[0], "GAN")["NLL, nats ↓"] == "–⁽¹⁾"
    assert "⁽¹⁾ the model has no exact density" in tables[0].text
    assert "Not applicable to any row here: `fid` (images only)." in tables[0].text
    assert "nan" not in tables[0].text


def test_fewer_seeds_than_planned_are_counted_and_explained(filled):
    tables, _ = tables_of(filled)
    cell = row(tables[1], "GAN")["FID ↓"]
    assert cell.startswith("diverged")  # and no mean of those that survive
    assert re.search(
        r"seed 1: diverged: critic.wasserstein became nan at update 301; the other seeds "
        r"[\d.]+ ± [\d.]+ \(n=2\)", tables[1].text
    )
    assert "(n = 2)⁽" in row(tables[0], "Mixture")["NLL, nats ↓"]
    assert "**" not in row(tables[0], "Mixture")["NLL, nats ↓"]
    assert row(tables[1], "GAN")["seeds"] == "3"
    assert "seed 2: not run yet" in tables[0].text


def test_the_floor_stands_below_the_table_and_not_in_every_row(filled):
    def floored(frame):
        floor = frame.query("metric == 'nll'").assign(
            metric="nll_floor", title="NLL floor", better="none", value=0.25, status="ok",
            reason="", sampling_std=0.02,
        )
        frame = pd.concat([frame, floor[floor.dataset == "ring"]], ignore_index=True)
        return pd.concat([frame, floor[floor.dataset == "digits"].assign(
            status="skipped", value=np.nan, reason="no train split")], ignore_index=True)

    tables, _ = tables_of(filled, change=floored)
    told = "Floor, what two true sets of the same size get (± over such sets): NLL, nats: "
    assert f"\n{told}0.250 ± 0.020.\n" in tables[0].text
    assert "NLL floor" not in tables[0].text
    assert "nll_floor" not in tables[0].text
    assert "Floor" not in tables[1].text
    assert "Not applicable to any row here: `nll_floor` (no train split)." in tables[1].text
    chosen, = tables_of(filled, {"tables": [{"dataset": "ring", "columns": ["nll"]}]}, floored)[0]
    assert told in chosen.text


def test_seeds_under_another_protocol_are_counted_and_explained(filled):
    def split(frame):
        one = (frame.metric == "fid") & (frame.method == "mixflow") & (frame.seed == 1)
        frame.loc[one & (frame.dataset == "digits"), "protocol"] = "other"
        return frame

    tables, frame = tables_of(filled, change=split)
    usual = frame.query("metric == 'fid' and method == 'nice'").protocol.iloc[-1]
    ours = row(tables[1], "Mixture")
    assert "(n = 2)" in ours[f"FID @ {usual} ↓"]
    assert "(n = 1)" in ours["FID @ other ↓"]
    assert not any("**" in cell for cell in ours.values() if "n = " in cell)
    assert "seed 1: measured under other" in tables[1].text
    assert f"seeds 0, 2: measured under {usual}" in tables[1].text
    assert row(tables[1], "NICE")["FID @ other ↓"].startswith("–")
    assert f" measured under {usual}  \n" in tables[1].text


def test_two_protocols_never_share_a_column(filled):
    def split(frame):
        frame.loc[(frame.metric == "fid") & (frame.method == "nice"), "protocol"] = "other"
        return frame

    tables, _ = tables_of(filled, change=split)
    line = row(tables[1], "NICE")
    assert "FID ↓" not in line
    assert line["FID @ classifier-500-test-v1 ↓"].startswith("–")
    assert re.match(r"[\d.]+ ±", line["FID @ other ↓"])
    # one value is no contest
    assert "**" not in line["FID @ other ↓"]


def test_published_numbers_stand_beside_ours(filled):
    report = {"tables": [{
        "title": "Table 1", "dataset": "digits", "columns": ["fid", "modes_covered[ring]"],
        "methods": ["mixflow", "gan"],
        "published": {"mixflow": {"fid": {"value": 100, "source": "Table 3 of X"}},
                      "gan": {"fid": 50.5}},
    }]}
    (table,), frame = tables_of(filled, report)
    assert list(cells(table)) == ["Mixture of flows", "GAN", "*real: train vs test*"]
    line = row(table, "Mixture")
    assert line["published"] == "100⁽¹⁾"
    ours = frame.query("dataset == 'digits' and metric == 'fid' and method == 'mixflow'").value
    assert float(line["difference"]) == pytest.approx(ours.mean() - 100, rel=1e-3)
    assert "⁽¹⁾ published: Table 3 of X" in table.text
    assert row(table, "GAN")["published"] == "50.5"
    assert line["modes covered (ring) ↑"].startswith("6 ± 0 (n = 2)")


def test_a_table_without_a_dataset_leaves_out_where_it_says_nothing(filled):
    tables, _ = tables_of(filled, {"tables": [{"title": "FIDs", "columns": ["fid"]}]})
    titles = [table.title for table in tables]
    # on the ring one run is missing, and could still say something
    assert titles == ["FIDs: ring", "FIDs: digits"]

    def all_skipped(frame):
        frame.loc[frame.dataset == "ring", "status"] = "skipped"
        return frame

    tables, _ = tables_of(filled, {"tables": [{"title": "FIDs", "columns": ["fid"]}]}, all_skipped)
    assert [table.title for table in tables] == ["FIDs: digits"]


def test_sampling_spread_has_a_table_of_its_own(filled):
    tables, _ = tables_of(filled)
    assert tables[0].spread == ""
    assert "| GAN | 0.4 |" in tables[1].spread


def test_limited_runs_are_marked(filled, fake, tmp_path):
    plan = fake.make_plan(tmp_path, limited=True)
    (table, _) = make_tables(Numbers(plan, tidy(plan, filled[1])))
    assert "NICE (EMA) **not comparable**" in cells(table)


def test_titles_that_rows_share_get_the_rows_name(filled):
    plan, store = filled
    same = {name: replace(info, title="Same") for name, info in plan.methods.items()}
    plan = replace(plan, methods=same)
    (table, _) = make_tables(Numbers(plan, tidy(plan, store)))
    assert "Same (`gan`)" in cells(table)


def test_variants_stand_side_by_side_with_the_published_number(filled):
    tables, frame = tables_of(filled, {"tables": [{
        "dataset": "digits", "methods": ["ni", "mix"], "columns": ["fid"],
        "variants": {"as printed": "ce", "tuned": "flow"},
        "published": {"ni": {"fid": 100.0}},
    }]})
    found = cells(tables[0])
    assert list(found) == ["NICE", "mixce"] or len(found) == 2
    line = next(iter(found.values()))
    mean = frame.query("dataset == 'digits' and metric == 'fid' and method == 'nice'").value.mean()
    assert line["FID ↓: published"] == "100"
    ours = line["FID ↓: as printed"].strip("*").split(" ± ")[0]
    assert float(ours) == pytest.approx(mean, abs=0.01)
    assert line["FID ↓: tuned"] == "–"  # there is no row `niflow`
    assert float(line["difference"]) == pytest.approx(mean - 100, abs=0.01)
    other = list(found.values())[1]
    assert other["FID ↓: as printed"] == "–"
    assert other["FID ↓: tuned"] != "–"


@pytest.mark.parametrize(("option", "said"), [
    ({"sample_mean": True}, True), ({"sample_mean": False}, False), ({"sample_mean": None}, False),
    ({}, False),
])
def test_a_row_whose_samples_are_means_says_so(filled, option, said):
    plan, store = filled
    runs = [
        run.model_copy(update={"model": run.model.model_copy(update={"options": option})})
        if run.method == "gan" else run
        for run in plan.runs
    ]
    points = Numbers(replace(plan, runs=tuple(runs)), tidy(plan, store))
    kinds = {name: replace(info, kind="images") for name, info in plan.datasets.items()}
    images = Numbers(replace(plan, runs=tuple(runs), datasets=kinds), tidy(plan, store))
    where = next(name for name, info in plan.datasets.items() if info.kind == "points")
    assert (("gan", where) in points.means) is said
    assert (("gan", where) in images.means) is (said or option.get("sample_mean", 0) is None)
    assert ("samples are the decoder's means" in make_tables(points)[0].text) is said


def test_a_table_marks_what_differs_from_the_row_that_it_names(filled):
    asked = {"dataset": "digits", "columns": ["fid"]}
    best, named = tables_of(filled, {"tables": [asked, {**asked, "against": "nice"}]})[0]
    assert row(best, "Mixture")["FID ↓"].startswith("**")
    found = {label: line["FID ↓"] for label, line in cells(named).items()}
    assert found["Mixture of flows"].endswith(" ‡")
    assert not any("**" in cell for cell in found.values())
    for label in ("NICE", "*real"):
        assert not re.search("[†‡]", row(named, label)["FID ↓"])
    assert ("‡ significantly better, † significantly worse than NICE, two-sided at 5 % after "
            "Holm's correction over the 2 comparisons of this table") in named.text
    assert "Holm" not in best.text
    [other] = tables_of(filled, {"tables": [{**asked, "against": "mixflow"}]})[0]
    assert row(other, "NICE")["FID ↓"].endswith(" †")
    [several] = tables_of(filled, {"tables": [{**asked, "dataset": "ring", "against": "gan",
                                               "columns": ["nll"]}]})[0]
    assert "No row here can be compared with GAN: no marks." in several.text


def test_the_lines_of_settings_side_by_side_are_held_against_one_of_them(filled):
    [table] = tables_of(filled, {"tables": [{
        "dataset": "digits", "methods": ["nice", "mixflow"], "columns": ["fid"],
        "variants": {"as printed": "", "tuned": "-tuned"}, "against": "nice",
    }]})[0]
    assert row(table, "Mixture")["FID ↓: as printed"].endswith(" ‡")
    assert "over one comparison of this table" in table.text


def test_the_last_line_of_the_results_says_what_their_marks_are(filled):
    plan, store = filled

    def last(*tables):
        suite = plan.suite.model_copy(update={
            "report": Report.model_validate({"tables": list(tables)})})
        return section(gather(replace(plan, suite=suite), store), [])[-1]

    plain, named = {"dataset": "digits"}, {"dataset": "digits", "against": "nice"}
    assert f"over seeds (n − 1); {LEGEND}; real data" in last()
    assert last(plain) == last()
    assert last(named).startswith("± is the standard deviation over seeds (n − 1). ↓ lower")
    assert f"; where a table names no row, {LEGEND}; real data" in last(plain, named)
