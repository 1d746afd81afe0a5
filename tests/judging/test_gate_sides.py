"""The gate where its sides differ in seeds, rows or machines, and its three forms side by side."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET
from collections import Counter
from dataclasses import replace

import pytest
from made_rows import rows, table
from rich.console import Console

from genbench.judging.baseline import Baseline
from genbench.judging.cells import cells_of
from genbench.judging.gate import check
from genbench.judging.junit import junit_xml, markdown, terminal_table
from genbench.judging.made_with import made_otherwise, made_with
from genbench.store.runs import Store
from genbench.suites.tolerance import Tolerance

OLD = rows("a", [10.0, 11.5, 9.1])


def accepted(*parts, **more) -> Baseline:
    return Baseline("ci", [c for c in cells_of(table(*parts)) if c.values or c.troubles], **more)


def verdicts(outcome) -> list[tuple[str, str]]:
    return [(one.verdict, one.metric) for one in outcome.findings]


@pytest.mark.parametrize("kept", [2, 1])
def test_fewer_seeds_of_unchanged_runs_are_unchanged(kept):
    """Though their mean is another, by more than the tolerance."""
    outcome = check(table(OLD[1:][:kept]), accepted(OLD))
    assert verdicts(outcome) == [("ok", "nll")]
    assert outcome.findings[0].detail.startswith("the same values for seed")
    assert check(table(OLD), accepted(OLD[1:][:kept])).exit_code == 0


def test_more_seeds_hide_no_change_of_those_that_are_on_both_sides():
    moved = [OLD[0]._replace(value=10.001), *OLD[1:2]]
    assert verdicts(check(table(moved), accepted(OLD))) == [("inconclusive", "nll")]
    other = rows("a", [1.5, 1.6, 1.7], metric="fid")
    changed = [row._replace(value=row.value + 1) for row in other]
    outcome = check(table(OLD[:2], changed), accepted(OLD, other))
    assert set(verdicts(outcome)) == {("inconclusive", "nll"), ("regressed", "fid")}


def test_counts_and_the_data_alone_do_not_say_that_a_row_is_unchanged():
    modes, floor = {"metric": "modes", "better": "higher"}, {"metric": "w", "better": "none"}
    new = table(rows("a", [8, 8, 8, 2, 2, 2], **modes), rows("a", [0.5] * 6, **floor))
    old = table(rows("a", [8, 8, 8], **modes), rows("a", [0.5] * 3, **floor))
    assert verdicts(check(new, accepted(old))) == [("unresolved", "modes")]


def test_exact_compares_the_seeds_of_both_sides():
    outcome = check(table(OLD[:2]), accepted(OLD), exact=True)
    assert verdicts(outcome) == [("ok", "nll")]
    moved = [OLD[0]._replace(value=10.0 + 1e-9), OLD[1]]
    outcome = check(table(moved), accepted(OLD), exact=True)
    assert verdicts(outcome) == [("changed", "nll")]
    assert "not the same bits: seed 0, by 1e-09 at most" in outcome.findings[0].detail
    outcome = check(table(OLD[:1]), accepted(OLD[1:]), exact=True)
    assert (verdicts(outcome), outcome.exit_code) == ([("missing", "nll")], 3)
    assert outcome.findings[0].detail == "no seed is on both sides"


@pytest.mark.parametrize(("status", "verdict"), [("failed", "failed"), ("queued", "missing")])
def test_a_run_without_a_result_lacks_the_metrics_that_apply_to_it(status, verdict):
    """And not all that the suite asks for."""
    never = rows("a", ["skipped"] * 3, metric="fid")
    new = table(rows("a", [10.0, status, 9.1]),
                rows("a", ["skipped", status, "skipped"], metric="fid"))
    assert verdicts(check(new, accepted(OLD, never))) == [(verdict, "nll")]
    new = table(rows("a", [status] * 3), rows("a", [status] * 3, metric="fid"))
    known = accepted(OLD, inapplicable={("a", "ring", "fid")})
    assert verdicts(check(new, known)) == [(verdict, "nll")]
    assert len(check(new, accepted(OLD)).findings) == 2, "it may be a metric that is new"


def test_a_metric_that_fails_where_it_never_applied_is_a_failure():
    known = accepted(OLD, inapplicable={("a", "ring", "fid")})
    new = table(OLD, rows("a", ["failed"] * 3, metric="fid"))
    assert verdicts(check(new, known))[0] == ("failed", "fid")


def test_a_new_row_without_a_result_is_said_once():
    new = table(OLD, rows("b", ["queued"] * 3), rows("b", ["queued"] * 3, metric="fid"))
    outcome = check(new, accepted(OLD))
    assert outcome.counts == {"missing": 1, "ok": 1}
    assert outcome.findings[0].name == "every metric[b, ring]"


def test_the_tolerances_of_the_suite_hold_for_a_file_that_has_none(fake, tmp_path):
    plan = fake.make_plan(tmp_path)
    suite = plan.suite.model_copy(update={"tolerances": {"nll": Tolerance(absolute=5)}})
    plan = replace(plan, suite=suite)
    worse = table([row._replace(value=row.value + 4.9) for row in OLD])
    assert check(worse, accepted(OLD), plan=plan).exit_code == 0
    own = accepted(OLD, tolerances={"nll": Tolerance(absolute=1)})
    assert verdicts(check(worse, own, plan=plan)) == [("regressed", "nll")]


def test_other_versions_and_machines_are_named(fake, tmp_path):
    plan, store = fake.make_plan(tmp_path), Store(tmp_path / "results")
    fake.fill(plan, store)
    made = made_with(plan, store)
    assert made["torch"] == (fake.VERSIONS["torch"],)
    assert made_otherwise(made, made) == []
    before = {"torch": ("2.1",), "CPU": ("A",), "numpy": ("1",), "data": ("x",)}
    now = {"torch": ("2.1", "2.2"), "CPU": ("B",), "data": ("y",), "scipy": ("1",)}
    line = "made with: torch 2.1 → 2.1, 2.2; CPU A → B"
    assert made_otherwise(before, now) == [line]
    outcome = check(table(OLD), accepted(OLD, made_with=before), made=now)
    assert outcome.notes == [line]
    assert line in junit_xml(outcome)
    assert "torch 2.1 → 2.1, 2.2" in markdown(outcome)


def test_terminal_junit_and_markdown_say_the_same():
    def cells(move):
        return [row for name, values in {
            "same": [1.5, 1.6, 1.7], "worse": [1.5 + 9 * move, 1.6 + 9 * move, 1.7 + 9 * move],
            "better": [1.5 - move, 1.6 - move, 1.7 - move],
            "noisy": [1.5 + 5 * move, 1.6, 1.7 + 9 * move],
            "gone": [1.5, "failed" if move else 1.6, 1.7], "few": [1.5 + move],
            "other": rows("other", [1.5] * 3, protocol=f"v{move}"),
            ("new" if move else "old"): [1.5, 1.6, 1.7],
        }.items() for row in (rows(name, values) if not hasattr(values[0], "seed") else values)]

    outcome = check(table(cells(1)), accepted(cells(0)))
    counts = Counter({
        "ok": 1, "regressed": 1, "improved": 1, "unresolved": 1, "failed": 1, "inconclusive": 1,
        "changed-protocol": 1, "new": 1, "missing": 1,
    })
    assert outcome.counts == counts
    suite = ET.fromstring(junit_xml(outcome)).find("testsuite")
    junit = Counter()
    for case in suite.findall("testcase"):
        bad = [part for part in case if part.tag in ("failure", "error")]
        junit[bad[0].get("type") if bad else case.findtext("system-out").split(":")[0]] += 1
    assert junit == counts
    assert (suite.get("failures"), suite.get("errors")) == ("2", "3")
    text = markdown(outcome)
    assert Counter(re.findall(r"^\| \**([a-z-]+)\** \| ring", text, re.MULTILINE)) == counts
    assert outcome.summary in text.replace("\\", "")
    console = Console(file=io.StringIO(), width=300)
    console.print(terminal_table(outcome, everything=True))
    shown = re.findall(r"│ ([a-z-]+) +│ ring", console.file.getvalue())
    assert Counter(shown) == counts


@pytest.mark.parametrize(("values", "says"), [
    ([19.0, 20.5, 18.1], "regressed"), ([10.0, "failed", 9.1], "failed"),
    ([10.0, "queued", 9.1], "not measured everywhere"),
    ([19.0], "worse, with too few seeds to tell"), ([1.0, 1.2, 0.9], "fine"),
    ([10.0, 19.0, 9.1], "not told from noise everywhere"),
])
def test_the_heading_says_what_is_worst(values, says):
    for lenient in (False, True):
        outcome = check(table(rows("a", values)), accepted(OLD), allow_inconclusive=lenient)
        assert markdown(outcome).splitlines()[0] == f"## genbench check: ci is {says}"
