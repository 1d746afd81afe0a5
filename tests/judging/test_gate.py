"""The regression gate: planted regressions are caught, noise is not, nothing passes unmeasured."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from made_rows import rows as made_rows
from made_rows import table
from scipy import stats

from genbench.errors import GenbenchError
from genbench.judging.cells import Cell, Trouble
from genbench.judging.gate import (
    Baseline,
    Tolerance,
    accept,
    check,
    read_baseline,
)
from genbench.judging.junit import junit_xml, markdown
from genbench.judging.stored import load_cells

ROOT = Path(__file__).parents[2]


rows = partial(made_rows, reason="why")


def baseline(*parts, tolerances=None, suite="ci"):
    """A baseline of the same rows, without going through a file."""
    cells: dict[tuple, Cell] = {}
    for row in (row for part in parts for row in part):
        key = (row.method, row.dataset, row.metric, row.protocol)
        cell = cells.setdefault(key, Cell(*key, better=row.better))
        if row.status == "ok":
            cell.values[row.seed] = row.value
        else:
            cell.troubles[row.seed] = Trouble(row.status, "")
    return Baseline(suite=suite, cells=list(cells.values()), tolerances=tolerances or {})


def one(outcome):
    assert len(outcome.findings) == 1, outcome.findings
    return outcome.findings[0]


OLD = rows("a", [10.0, 10.1, 9.9])


@pytest.mark.parametrize(("values", "verdict", "code"), [
    ([10.0, 10.1, 9.9], "ok", 0),        # the same bits
    ([10.05, 10.15, 9.95], "ok", 0),     # within 2 %
    ([12.0, 12.1, 11.9], "regressed", 1),
    ([8.0, 8.1, 7.9], "improved", 0),
    ([5.0, 11.0, 20.0], "unresolved", 0),  # beyond 2 %, and noise
])
def test_lower_is_better(values, verdict, code):
    outcome = check(table(rows("a", values)), baseline(OLD))
    assert one(outcome).verdict == verdict
    assert outcome.exit_code == code


def test_higher_is_better():
    old = rows("a", [10.0, 10.1, 9.9], better="higher")
    down = check(table(rows("a", [8.0, 8.1, 7.9], better="higher")), baseline(old))
    up = check(table(rows("a", [12.0, 12.1, 11.9], better="higher")), baseline(old))
    assert (one(down).verdict, down.exit_code) == ("regressed", 1)
    assert (one(up).verdict, up.exit_code) == ("improved", 0)


def test_negative_means_have_a_size_too():
    old, new = rows("a", [-100.0, -100.1, -99.9]), rows("a", [-99.0, -99.1, -98.9])
    assert one(check(table(new), baseline(old))).verdict == "ok"
    worse = rows("a", [-90.0, -90.1, -89.9])
    assert one(check(table(worse), baseline(old))).verdict == "regressed"


@pytest.mark.parametrize(("tolerance", "verdict"), [
    (Tolerance(absolute=2.5), "ok"), (Tolerance(relative=0.25), "ok"),
    (Tolerance(absolute=1.5), "regressed"), (Tolerance(absolute=1.0, relative=0.3), "ok"),
])
def test_tolerances_are_the_larger_of_two(tolerance, verdict):
    new = table(rows("a", [12.0, 12.1, 11.9]))
    assert one(check(new, baseline(OLD, tolerances={"nll": tolerance}))).verdict == verdict
    assert one(check(new, baseline(OLD, tolerances={"fid": tolerance}))).verdict == "regressed"
    own = baseline(OLD, tolerances={"nll": Tolerance()})
    own = replace(own, own={own.cells[0].key: tolerance})
    assert one(check(new, own)).verdict == verdict


@pytest.mark.parametrize(("n", "verdict"), [(3, "unresolved"), (4, "regressed")])
def test_constants_regress_no_more_surely_than_an_exact_test_can_say(n, verdict):
    old = rows("a", [8] * n, metric="modes", better="higher")
    outcome = check(table(rows("a", [7] * n, metric="modes", better="higher")), baseline(old))
    assert one(outcome).verdict == verdict
    # of two samples or of pairs, whichever is smaller, twice
    assert one(outcome).p == pytest.approx(2 / math.comb(2 * n, n))
    fixed = {"metric": "modes", "better": "higher", "updates": 0, "examples": 0,
             "sampling_std": None}
    certain = check(table(rows("a", [7] * n, **fixed)), baseline(rows("a", [8] * n, **fixed)))
    assert (one(certain).verdict, one(certain).p) == ("regressed", 0)


@pytest.mark.parametrize("n", [3, 5])
def test_counts_of_an_unchanged_suite_raise_few_alarms(n):
    """Ten cells of modes, each 8 or (as often as makes it hardest) 7, at n seeds."""
    rng = np.random.default_rng(n)

    def suite():
        counts = 8 - (rng.random((10, n)) < 0.15)
        return [row for place, each in enumerate(counts)
                for row in rows(f"m{place}", each, metric="modes", better="higher")]

    exact, trials = {"modes": Tolerance()}, 200
    alarms = sum(check(table(suite()), baseline(suite(), tolerances=exact)).exit_code == 1
                 for _ in range(trials))
    assert alarms / trials <= 0.05


def test_what_is_not_told_from_noise_is_in_sight():
    """Learning rate × 0.3: NLL + 17 %, and yet no regression with three seeds."""
    new = [11.0, 12.9, 11.2]
    fine = [row for place in range(14) for row in rows(f"m{place}", [1.0, 1.01, 0.99])]
    moved = [row._replace(value=row.value + 1e-4) for row in fine]
    outcome = check(table(rows("a", new), moved), baseline(OLD, fine))
    assert outcome.exit_code == 0
    found = outcome.findings[0]
    assert found.verdict == "unresolved"
    se = (np.var(new, ddof=1) / 3 + np.var([10, 10.1, 9.9], ddof=1) / 3) ** 0.5
    spread = found.smallest / se
    assert spread > stats.t.isf(0.05 / 15 / 2, 4)
    says = ("1 of 15 worse than the tolerance, not told from noise by 3 seeds (smallest change "
            f"that would be: {found.smallest:.2g})")
    assert says in outcome.summary
    assert says[len("1 of 15 worse than the tolerance, "):] in found.detail
    text = markdown(outcome)
    assert text.startswith("## genbench check: ci is not told from noise everywhere")
    assert "**unresolved**" in text
    assert says in text
    assert "unresolved: worse by" in junit_xml(outcome)
    assert "one-sided" in junit_xml(outcome)


def test_the_smallest_change_is_the_one_that_would_be_told():
    rng = np.random.default_rng(2)
    old, new = rng.normal(100, 3, (2, 4))
    new += old.mean() - new.mean() + 1
    exact = {"nll": Tolerance()}
    found = one(check(table(rows("a", new)), baseline(rows("a", old), tolerances=exact)))
    assert found.verdict == "unresolved"
    for factor, verdict in ((0.999, "unresolved"), (1.001, "regressed")):
        moved = new - new.mean() + old.mean() + factor * found.smallest
        again = check(table(rows("a", moved)), baseline(rows("a", old), tolerances=exact))
        assert one(again).verdict == verdict


def test_pairs_by_seed_find_what_the_seeds_share():
    old = np.array([5.0, 9.0, 14.0, 7.0])
    new = old + np.array([0.5, 0.52, 0.49, 0.51])
    assert one(check(table(rows("a", new)), baseline(rows("a", old)))).verdict == "regressed"
    shuffled = check(table(rows("a", new[::-1])), baseline(rows("a", old)))
    assert one(shuffled).verdict == "unresolved"


@pytest.mark.parametrize("bad", [[10.0, "not-finite", 9.9], ["not-finite"] * 3])
def test_infinite_values_never_pass(bad):
    values = rows("a", [10.0, 10.1, 9.9])
    bad = [row._replace(protocol="v1") for row in rows("a", bad)]
    outcome = check(table(bad), baseline(values))
    assert (one(outcome).verdict, outcome.exit_code) == ("failed", 3)
    back = check(table(values), baseline(bad))
    assert one(back).verdict in ("ok", "improved")


def test_infinity_that_was_accepted_does_not_hide_the_rest():
    lost = rows("a", ["not-finite"])[0]._replace(protocol="v1", seed=5)
    old = [*rows("a", [10.0, 10.1, 9.9, 10.05, 9.95]), lost]
    worse = [*rows("a", [20.0, 20.1, 19.9, 20.05, 19.95]), lost]
    found = one(check(table(worse), baseline(old)))
    assert found.verdict == "regressed"
    assert "by ranks" in found.detail
    assert one(check(table(old), baseline(old))).detail == "the same values"


def test_the_same_change_counts_alike_in_every_unit():
    """2 % of a mean depends on where the unit has its zero; what a metric declares does not."""
    dims, nats = 784, np.array([-1268.0, -1267.5, -1268.4])
    for shift, verdict in ((10.0, "ok"), (30.0, "regressed")):
        for unit, values, tolerance in (
            ("nats", nats, 0.02 * dims),
            ("bits", (nats + dims * np.log(256)) / (dims * np.log(2)), 0.02 / np.log(2)),
        ):
            moved = values + (shift if unit == "nats" else shift / (dims * np.log(2)))
            outcome = check(table(rows("a", moved, tolerance=tolerance)),
                            baseline(rows("a", values)))
            assert one(outcome).verdict == verdict, (unit, shift)


def test_a_target_is_missed_on_both_sides():
    aim = {"metric": "hq", "better": "target", "target": "0.9 from below", "tolerance": 0.02}
    old = rows("a", [0.85, 0.851, 0.849], **aim)
    for values, verdict in (
        ([0.5, 0.501, 0.499], "regressed"), ([0.9, 0.901, 0.8985], "improved"),
        ([0.99, 0.991, 0.9895], "regressed"), ([0.94, 0.942, 0.9415], "ok"),
    ):
        assert one(check(table(rows("a", values, **aim)), baseline(old))).verdict == verdict


def test_exact_asks_for_the_same_bits():
    near = rows("a", [10.0, 10.1 + 1e-12, 9.9])
    outcome = check(table(near), baseline(OLD), exact=True)
    assert (one(outcome).verdict, outcome.exit_code) == ("changed", 1)
    assert "not the same bits: seed 1, by 1e-12 at most" in one(outcome).detail
    assert check(table(OLD), baseline(OLD), exact=True).exit_code == 0
    none = rows("a", [1.0, 2.0], metric="w", better="none")
    moved = rows("a", [1.0, 2.1], metric="w", better="none")
    assert check(table(moved, OLD), baseline(none, OLD), exact=True).exit_code == 1
    assert 'failures="1"' in junit_xml(outcome)


def test_what_changed_in_the_specification_is_named(fake, tmp_path):
    plan = fake.make_plan(tmp_path)
    frame = [row._replace(suite=plan.name) for row in OLD]
    kept = accept(frame, tmp_path / "baseline.json", plan)
    assert check(frame, tmp_path / "baseline.json", plan=plan).changes == ()
    fast = [
        run.model_copy(update={"optimiser": run.optimiser.model_copy(update={"lr": 3e-4})})
        if (run.method, run.dataset) == ("gan", "ring") else run for run in plan.runs
    ]
    before = plan.runs[0].optimiser.lr
    outcome = check(frame, kept, plan=replace(plan, runs=tuple(fast)))
    assert outcome.changes == (f"gan on ring: optimiser.lr: {before} → 0.0003",)
    assert outcome.changes[0] in outcome.notes
    assert "optimiser.lr" in junit_xml(outcome)
    assert "optimiser.lr" in markdown(outcome)


@pytest.mark.parametrize(("value", "verdict", "code"), [
    (10.0, "ok", 0), (10.1, "ok", 0), (5.0, "ok", 0), (11.0, "inconclusive", 1),
])
def test_one_seed_has_only_its_tolerance(value, verdict, code):
    outcome = check(table(rows("a", [value])), baseline(rows("a", [10.0])))
    assert (one(outcome).verdict, outcome.exit_code) == (verdict, code)
    lenient = check(
        table(rows("a", [value])), baseline(rows("a", [10.0])), allow_inconclusive=True
    )
    assert lenient.exit_code == 0


def test_one_seed_says_what_to_do():
    finding = one(check(table(rows("a", [11.0])), baseline(rows("a", [10.0]))))
    assert "fewer than 3 seeds" in finding.detail
    assert "tolerance in the suite" in finding.detail


def test_the_real_row_may_move_with_its_samples():
    old, new = rows("real", [10.0]), rows("real", [11.0], sampling_std=0.5)
    assert one(check(table(new), baseline(old))).verdict == "ok"
    new = rows("real", [13.0], sampling_std=0.5)
    assert one(check(table(new), baseline(old))).verdict == "inconclusive"


def test_metrics_without_direction_are_not_gated_but_must_not_fail():
    old = [*OLD, *rows("a", [1.0] * 3, metric="w", better="none")]
    moved = table(OLD, rows("a", [99.0] * 3, metric="w", better="none"))
    assert check(moved, baseline(old)).exit_code == 0
    failed = table(OLD, rows("a", [1.0, "failed", 1.0], metric="w", better="none"))
    assert check(failed, baseline(old)).exit_code == 3


@pytest.mark.parametrize(("status", "verdict"), [
    ("failed", "failed"), ("diverged", "failed"), ("not-finite", "failed"),
    ("timed-out", "failed"), ("queued", "missing"), ("interrupted", "missing"),
])
def test_a_run_without_a_number(status, verdict):
    for values in ([10.0, status, 9.9], [status] * 3):
        outcome = check(rows("a", values), baseline(OLD))
        assert (one(outcome).verdict, outcome.exit_code) == (verdict, 3)
        assert f"{status} (why)" in one(outcome).detail


def test_a_metric_that_one_seed_lacks_is_not_judged_on_the_others():
    """A distance that did not converge, for one."""
    outcome = check(table(rows("a", [10.0, "skipped", 9.9])), baseline(OLD))
    assert (one(outcome).verdict, outcome.exit_code) == ("failed", 3)
    assert "skipped (why)" in one(outcome).detail


def test_divergence_that_was_accepted_is_no_news():
    old = rows("a", [10.0, 10.1, "diverged", 9.9])
    cells = baseline(OLD[:0], rows("a", [10.0, 10.1, 0, 9.9]))
    del cells.cells[0].values[2]
    cells.cells[0].troubles[2] = Trouble("diverged", "")
    assert one(check(table(old), cells)).verdict == "ok"
    assert one(check(table(rows("a", [10.0, "diverged", 9.8, 9.9])), cells)).verdict == "failed"


def test_what_is_gone_is_missing():
    outcome = check(table(OLD), baseline(OLD, rows("b", [1.0, 2.0, 3.0])))
    assert outcome.counts == {"missing": 1, "ok": 1}
    assert outcome.exit_code == 3
    skipped = check(table(OLD, rows("b", ["skipped"] * 3)), baseline(OLD, rows("b", [1, 2, 3])))
    assert "does not apply: why" in skipped.findings[0].detail


def test_changed_protocols_are_not_compared():
    outcome = check(table(rows("a", [99.0] * 3, protocol="v2")), baseline(OLD))
    assert one(outcome).verdict == "changed-protocol"
    assert "v1, now it is v2" in one(outcome).detail
    assert outcome.exit_code == 3


def test_new_cells_are_listed_and_new_failures_are_failures():
    outcome = check(table(OLD, rows("b", [1.0, 2.0, 3.0])), baseline(OLD))
    assert (outcome.counts, outcome.exit_code) == ({"new": 1, "ok": 1}, 0)
    outcome = check(table(OLD, rows("b", [1.0, "failed", 3.0])), baseline(OLD))
    assert (outcome.counts, outcome.exit_code) == ({"failed": 1, "ok": 1}, 3)


def test_nothing_compared_is_not_fine():
    empty = Baseline(suite="ci", cells=[])
    assert check(table(OLD), empty).exit_code == 3
    assert "nothing compared" in check(table(OLD), empty).summary


def test_a_regression_outranks_a_failure():
    new = table(rows("a", [12.0, 12.1, 11.9]), rows("b", ["failed"] * 3))
    outcome = check(new, baseline(OLD, rows("b", [1.0, 2.0, 3.0])))
    assert outcome.exit_code == 1
    assert [finding.verdict for finding in outcome.findings] == ["regressed", "failed"]


def test_other_suites_and_cut_budgets_are_refused():
    with pytest.raises(GenbenchError, match="of the suite 'other', not of 'ci'"):
        check(table(OLD), baseline(OLD, suite="other"))
    with pytest.raises(GenbenchError, match="--limit-updates"):
        check(table(rows("a", [10.0], limited=True)), baseline(OLD))
    with pytest.raises(GenbenchError, match="no rows"):
        check([], baseline(OLD))


# --- by simulation ----------------------------------------------------------------------------


def suite_values(rng, cells, seeds, shift=0.0):
    """Values of `cells` cells in both directions; the first is worse by `shift`."""
    values = rng.normal(100, 3, size=(cells, seeds))
    values[0] += shift
    return [
        row for place in range(cells)
        for row in rows(f"m{place}", values[place], better="lower" if place % 2 == 0 else "higher")
    ]


@pytest.mark.parametrize(("cells", "seeds"), [(1, 3), (12, 3), (8, 5)])
def test_unchanged_suites_raise_few_alarms(cells, seeds):
    rng = np.random.default_rng(cells * seeds)
    exact = {"nll": Tolerance()}  # so that only the statistics stand between noise and an alarm
    trials = 250
    alarms = sum(
        check(
            table(suite_values(rng, cells, seeds)),
            baseline(suite_values(rng, cells, seeds), tolerances=exact),
        ).exit_code == 1
        for _ in range(trials)
    )
    assert alarms / trials <= 0.05 + 2.3 * (0.05 * 0.95 / trials) ** 0.5


@pytest.mark.parametrize(("cells", "seeds", "caught"), [(1, 3, 0.85), (10, 5, 0.75)])
def test_a_shift_of_five_standard_errors_is_caught(cells, seeds, caught):
    rng = np.random.default_rng(7)
    shift = 5 * 3 * (2 / seeds) ** 0.5
    trials = 100
    found = sum(
        check(
            table(suite_values(rng, cells, seeds, shift)),
            baseline(suite_values(rng, cells, seeds)),
        ).findings[0].verdict == "regressed"
        for _ in range(trials)
    )
    assert found / trials >= caught


def stored_spreads():
    """Mean and spread over seeds of every accepted number that has three."""
    found = [cell.sample for cell in load_cells(ROOT / "results/ci/metrics.csv") if cell.directed]
    return np.array([(np.mean(v), np.std(v, ddof=1)) for v in found if len(v) >= 3])


def as_rows(means, spreads, rng, seeds):
    values = rng.normal(means[:, None], spreads[:, None], (len(means), seeds))
    return [row for place, each in enumerate(values) for row in rows(f"m{place}", each)]


def test_false_alarms_at_the_stored_spreads():
    """Suites like suites/ci.yaml, drawn from its accepted means and spreads, unchanged."""
    means, spreads = stored_spreads().T
    rng, trials = np.random.default_rng(5), 60
    exact = {"nll": Tolerance()}
    alarms = sum(
        check(
            table(as_rows(means, spreads, rng, 3)),
            baseline(as_rows(means, spreads, rng, 3), tolerances=exact),
        ).exit_code == 1
        for _ in range(trials)
    )
    assert len(means) > 40
    assert alarms / trials <= 0.05 + 2.3 * (0.05 * 0.95 / trials) ** 0.5


def test_unchanged_bits_do_not_hide_a_regression():
    rng = np.random.default_rng(11)
    old = suite_values(rng, 40, 3)
    # 4.4 standard errors on three seeds: significant alone, not after a correction over 40.
    new = rows("m0", [row.value + 4.4 * 3 * (2 / 3) ** 0.5 for row in old[:3]])
    outcome = check(table(new, old[3:]), baseline(old))
    assert outcome.counts == {"regressed": 1, "ok": 39}


# --- the file ---------------------------------------------------------------------------------


def test_accept_then_check_is_fine(tmp_path):
    path = tmp_path / "baseline.json"
    frame = table(OLD, rows("b", [1.0, "diverged", 2.0]), rows("c", ["skipped"] * 3))
    accept(frame, path)
    outcome = check(frame, path)
    assert (outcome.counts, outcome.exit_code) == ({"ok": 2}, 0)
    first = path.read_bytes()
    accept(frame[::-1], path)
    assert path.read_bytes() == first
    assert json.loads(first)["format"] == 1
    assert json.loads(first)["cells"][0]["values"] == {"0": 10.0, "1": 10.1, "2": 9.9}


def test_accept_keeps_tolerances(tmp_path):
    path = tmp_path / "baseline.json"
    accept(table(OLD), path)
    written = json.loads(path.read_text())
    written["tolerances"] = {"nll": {"relative": 0.5}}
    written["cells"][0]["tolerance"] = {"absolute": 9}
    path.write_text(json.dumps(written))
    accept(table(rows("a", [12.0, 12.1, 11.9])), path)
    again = read_baseline(path)
    assert again.tolerances == {"nll": Tolerance(relative=0.5)}
    assert again.own == {again.cells[0].key: Tolerance(absolute=9)}
    assert again.cells[0].sample == [12.0, 12.1, 11.9]


@pytest.mark.parametrize(("frame", "says"), [
    (table(rows("a", ["failed"] * 3)), "nothing was measured"),
    (table(OLD, rows("b", [1.0, "failed", 2.0])), "seed 1, is failed (why)"),
    (table(OLD, rows("b", ["queued"])), "is queued"),
    (table(rows("a", [1.0], limited=True)), "--limit-updates"),
])
def test_accept_refuses_what_is_not_finished(tmp_path, frame, says):
    with pytest.raises(GenbenchError) as caught:
        accept(frame, tmp_path / "baseline.json")
    assert says in str(caught.value)
    assert not (tmp_path / "baseline.json").exists()


@pytest.mark.parametrize(("text", "says"), [
    ("", "Invalid JSON"), ("[]", "expected a baseline"), ('{"format": 2}', "format"),
    ('{"format": 1, "suite": "ci", "cells": [{"method": "a"}]}', "cells.0.dataset"),
    ('{"format": 1, "suite": "ci", "cells": [], "extra": 1}', "extra"),
    ('{"format": 1, "suite": "ci", "cells": [], "tolerances": {"nll": {"relative": -1}}}',
     "tolerances.nll.relative"),
])
def test_bad_files_get_one_line(tmp_path, text, says):
    path = tmp_path / "baseline.json"
    path.write_text(text)
    with pytest.raises(GenbenchError) as caught:
        read_baseline(path)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_and_doubled(tmp_path):
    with pytest.raises(GenbenchError, match="cannot read the baseline"):
        check(table(OLD), tmp_path / "none.json")
    path = tmp_path / "baseline.json"
    accept(table(OLD), path)
    written = json.loads(path.read_text())
    written["cells"] *= 2
    path.write_text(json.dumps(written))
    with pytest.raises(GenbenchError, match="two cells are both a / ring / nll / v1"):
        read_baseline(path)
