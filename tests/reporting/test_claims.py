"""Verdicts on claims: right where the answer is known, and honest where there is none."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from genbench.errors import GenbenchError, SuiteError
from genbench.reporting._cells import cells_of
from genbench.reporting.claims import judge


def rows(method, values, *, dataset="ring", metric="nll", protocol="v1", seeds=None, **more):
    """Tidy rows, one a seed; a string for a value is a status."""
    return [
        {
            "suite": "s", "method": method, "dataset": dataset, "seed": seed, "metric": metric,
            "protocol": "" if isinstance(value, str) else protocol,
            "value": None if isinstance(value, str) else value, "better": "lower", "unit": "nats",
            "status": value if isinstance(value, str) else "ok", "reason": "",
            "run": f"{method}-{seed}", "sampling_std": 0.0, "limited": False, **more,
        }
        for seed, value in zip(seeds or range(len(values)), values, strict=True)
    ]


def verdicts(expectations, *parts):
    claims = [
        SimpleNamespace(id=f"K{place}", text="a sentence", expect=expect, unjudged="why not")
        for place, expect in enumerate(expectations)
    ]
    plan = SimpleNamespace(suite=SimpleNamespace(report=SimpleNamespace(claims=claims)))
    return judge(plan, cells_of(pd.DataFrame([row for part in parts for row in part])))


def verdict(expect, *parts):
    return verdicts([expect], *parts)[0]


LOW = rows("a", [1.0, 1.1, 0.9])
HIGH = rows("b", [2.0, 2.2, 1.9])


@pytest.mark.parametrize(("expect", "answer"), [
    ("nll[a] < nll[b]", "CONFIRMED"),
    ("nll[a] <= nll[b, ring]", "CONFIRMED"),
    ("nll[b] > nll[a]", "CONFIRMED"),
    ("nll[a] > nll[b]", "REFUTED"),
    ("nll[b] <= nll[a]", "REFUTED"),
    ("nll[a] < 1.01", "INCONCLUSIVE"),
    ("nll[a] < 1.5", "CONFIRMED"),
    ("3 * nll[a] > nll[b]", "CONFIRMED"),
    ("nll[b] - nll[a] ~= 1 within 0.5", "CONFIRMED"),
    ("nll[b] ~= nll[a] within 0.5", "REFUTED"),
    ("nll[b] ~= nll[a] within 1", "INCONCLUSIVE"),
])
def test_answers(expect, answer):
    found = verdict(expect, LOW, HIGH)
    assert found.verdict == answer, found.evidence
    assert (found.id, found.text, found.expect) == ("K0", "a sentence", expect)


def test_shared_seeds_are_paired():
    found = verdict("nll[a] < nll[b]", LOW, HIGH)
    assert found.p == pytest.approx(stats.ttest_rel([1.0, 1.1, 0.9], [2.0, 2.2, 1.9]).pvalue)
    assert "paired test" in found.evidence


def test_pairing_finds_what_welch_cannot():
    noise = [0.0, 5.0, -4.0, 9.0]
    a, b = rows("a", noise), rows("b", [1.0, 6.1, -3.1, 10.0])
    moved = [{**row, "seed": row["seed"] + 10} for row in b]
    assert verdict("nll[a] < nll[b]", a, b).verdict == "CONFIRMED"
    assert verdict("nll[a] < nll[b]", a, moved).verdict == "INCONCLUSIVE"


def test_other_seeds_or_datasets_get_welch():
    theirs = stats.ttest_ind([1.0, 1.1, 0.9], [2.0, 2.2, 1.9], equal_var=False).pvalue
    other = rows("b", [2.0, 2.2, 1.9], seeds=[3, 4, 5])
    assert verdict("nll[a] < nll[b]", LOW, other).p == pytest.approx(theirs)
    far = rows("b", [2.0, 2.2, 1.9], dataset="grid")
    found = verdict("nll[a, ring] < nll[b, grid]", LOW, far)
    assert found.p == pytest.approx(theirs)
    assert "Welch test" in found.evidence


def test_holm_over_the_claims():
    near = rows("b", [1.6, 2.1, 1.7])
    alone = verdict("nll[a] < nll[b]", LOW, near)
    crowd = verdicts(["nll[a] < nll[b]"] + ["nll[a] < 1.0001"] * 9, LOW, near)
    assert crowd[0].p == pytest.approx(10 * alone.p)
    assert "Holm's correction for 10 claims" in crowd[0].evidence
    assert alone.verdict == "CONFIRMED"
    assert crowd[0].verdict == "INCONCLUSIVE"


def test_two_seeds_are_inconclusive_however_far_apart():
    found = verdict("nll[a] < nll[b]", rows("a", [0.0, 0.1]), rows("b", [1e6, 1e6 + 1]))
    assert (found.verdict, found.p) == ("INCONCLUSIVE", None)
    assert "at least 3 seeds" in found.evidence


def test_a_diverged_run_is_evidence_and_not_a_number():
    broken = rows("b", [2.0, "diverged", 2.1, 2.2])
    broken[1]["reason"] = "critic became nan at update 31"
    found = verdict("nll[a] < nll[b]", rows("a", [1.0, 1.1, 0.9, 1.0]), broken)
    assert (found.verdict, found.p) == ("INCONCLUSIVE", None)
    assert "1 of 4 runs diverged (critic became nan at update 31)" in found.evidence
    assert "evidence against the method" in found.evidence


@pytest.mark.parametrize("status", ["failed", "queued", "not-finite", "timed-out"])
def test_what_is_missing_is_named(status):
    found = verdict("nll[a] < nll[b]", LOW, rows("b", [2.0, status, 2.1]))
    assert found.verdict == "INCONCLUSIVE"
    assert f"1 of 3 runs {status}" in found.evidence


def test_unknown_cells_are_named():
    assert "no dataset has all of nll[a], nll[z]" in verdict("nll[a] < nll[z]", LOW).evidence
    assert "nll[z, ring] was not measured" in verdict("nll[a,ring] < nll[z,ring]", LOW).evidence


def test_cut_budgets_are_not_compared():
    found = verdict("nll[a] < nll[b]", LOW, rows("b", [2.0, 2.1, 2.2], limited=True))
    assert found.verdict == "INCONCLUSIVE"
    assert "--limit-updates" in found.evidence


def test_protocols_are_not_mixed_but_may_be_named():
    other = rows("b", [2.0, 2.1, 2.2], protocol="v2")
    found = verdict("nll[a] < nll[b]", LOW, other)
    assert found.verdict == "INCONCLUSIVE"
    assert "different protocols (v1 and v2)" in found.evidence
    twice = [*HIGH, *other]
    assert "several protocols: nll@v1 and nll@v2" in verdict("nll[b] < 9", twice).evidence
    assert verdict("nll@v2[b] < 9", twice).verdict == "CONFIRMED"


def test_every_dataset_must_agree_to_confirm_and_one_is_enough_to_refute():
    ring = [*LOW, *HIGH]
    same = rows("a", [5.0, 5.5, 5.2], dataset="grid"), rows("b", [5.1, 5.3, 5.25], dataset="grid")
    turned = [*rows("a", [9.0, 9.1, 9.2], dataset="grid"), *rows("b", [1, 1.3, 1], dataset="grid")]
    agree = [*rows("a", [1.0, 1.1, 0.9], dataset="grid"), *rows("b", [3, 3.2, 3], dataset="grid")]
    assert verdict("nll[a] < nll[b]", ring, agree).verdict == "CONFIRMED"
    assert verdict("nll[a] < nll[b]", ring, *same).verdict == "INCONCLUSIVE"
    assert verdict("nll[a] < nll[b]", ring, turned).verdict == "REFUTED"
    assert verdict("nll[a, ring] < nll[b, ring]", ring, turned).verdict == "CONFIRMED"


def test_datasets_on_which_a_metric_does_not_apply_are_left_out():
    there = rows("b", [1.0, 2.0, 3.0], dataset="digits")
    nothing = [*rows("a", ["skipped"] * 3, dataset="digits"), *there]
    assert verdict("nll[a] < nll[b]", LOW, HIGH, nothing).verdict == "CONFIRMED"
    alone = verdict("nll[a] < nll[b]", nothing)
    assert alone.verdict == "INCONCLUSIVE"
    assert "does not apply" in alone.evidence


def test_constants_are_certain():
    six, eight = rows("a", [6.0] * 3), rows("b", [8.0] * 3)
    assert verdict("nll[a] < nll[b]", six, eight).p == 0
    assert "without any spread" in verdict("nll[a] < nll[b]", six, eight).evidence
    equal = rows("c", [6.0] * 3)
    assert verdict("nll[a] < nll[c]", six, equal).verdict == "REFUTED"
    assert verdict("nll[a] <= nll[c]", six, equal).verdict == "CONFIRMED"
    assert verdict("nll[a] ~= 6 within 0.5", six).verdict == "CONFIRMED"
    assert verdict("nll[a] ~= 7 within 0.5", six).verdict == "REFUTED"


def test_the_real_row_has_sampling_spread_only():
    near = rows("real", [0.9], sampling_std=0.001)
    far = rows("real", [0.9], sampling_std=5.0)
    a = rows("a", [1.0, 1.01, 0.99])
    assert verdict("nll[a] > nll[real]", a, near).verdict == "CONFIRMED"
    assert verdict("nll[a] > nll[real]", a, far).verdict == "INCONCLUSIVE"
    assert "no training seeds" in verdict("nll[real] < 1", near).evidence


def test_false_confirmations_stay_below_five_percent():
    rng = np.random.default_rng(3)
    wrong = 0
    for _ in range(200):
        a, b = rng.normal(size=(2, 4))
        found = verdicts(
            ["nll[a] < nll[b]", "nll[a] > 0", "nll[b] < 0"], rows("a", list(a)), rows("b", list(b))
        )
        wrong += any(one.verdict != "INCONCLUSIVE" for one in found)
    assert wrong / 200 <= 0.085  # 5 %, and 2.2 standard errors of 200 trials


def test_bad_claims_and_tables_are_refused():
    with pytest.raises(SuiteError):
        verdict("nll[a] less than nll[b]", LOW)
    with pytest.raises(GenbenchError, match="lacks the columns"):
        cells_of(pd.DataFrame({"suite": []}))
    with pytest.raises(GenbenchError, match="two rows"):
        verdict("nll[a] < 1", LOW, LOW)


def test_no_claims_no_verdicts():
    assert verdicts([], LOW) == []


@pytest.mark.parametrize(("expect", "answer"), [
    ("nll[a] < nll[b] and nll[b] > 1", "CONFIRMED"),
    ("nll[a] < nll[b] and nll[b] < 1", "REFUTED"),
    ("nll[a] < 2.1 and nll[b] < 2.1", "INCONCLUSIVE"),
])
def test_several_comparisons_hold_together(expect, answer):
    assert verdict(expect, LOW, HIGH).verdict == answer


def test_a_reason_in_the_place_of_a_comparison_is_listed_and_costs_nothing():
    found = verdicts([None, "nll[a] < nll[b]"], LOW, HIGH)
    assert found[0].verdict == "NOT JUDGED"
    assert found[0].evidence == "why not"
    assert found[1].verdict == "CONFIRMED"
    assert "Holm" not in found[1].evidence


def test_spreads_are_compared():
    rng = np.random.default_rng(0)
    narrow, wide = rows("a", rng.normal(size=12)), rows("b", 8 * rng.normal(size=12) + 3)
    assert verdict("std(nll[a]) < std(nll[b])", narrow, wide).verdict == "CONFIRMED"
    assert verdict("std(nll[a, ring]) > std(nll[b])", narrow, wide).verdict == "REFUTED"
    assert "Brown-Forsythe" in verdict("std(nll[a]) < std(nll[b])", narrow, wide).evidence


def test_equal_spreads_are_seldom_told_apart():
    rng = np.random.default_rng(1)
    wrong = sum(
        verdict("std(nll[a]) < std(nll[b])", rows("a", rng.normal(size=5)),
                rows("b", rng.normal(size=5) + 2)).verdict != "INCONCLUSIVE"
        for _ in range(400)
    )
    assert wrong <= 32  # 5 %, and three standard deviations of chance


def test_ratios_of_what_differs_by_factors():
    """The paired t-test on logarithms, by SciPy."""
    wild, tame = [26.0, 341.0, 253.0, 106.0, 949.0], [3.2, 3.8, 3.5, 3.2, 4.0]
    parts = rows("wild", wild), rows("tame", tame)
    assert verdict("nll[wild] > 10 * nll[tame]", *parts).verdict == "INCONCLUSIVE"
    found = verdict("nll[wild] > 10 * nll[tame] on logs", *parts)
    test = stats.ttest_1samp(np.log(wild) - np.log(tame) - np.log(10), 0)
    assert found.p == pytest.approx(test.pvalue)
    ratio = np.exp(np.mean(np.log(wild) - np.log(tame)))
    low, high = np.exp(np.array(test.confidence_interval()) + np.log(10))
    assert f"ratio {ratio:.4g}, 95 % CI [{low:.4g}, {high:.4g}], paired test on logs" in (
        found.evidence
    )
    assert verdict("nll[wild] > 2 * nll[tame] on logs", *parts).verdict == "CONFIRMED"
    assert verdict("20 < nll[wild] on logs", *parts).verdict == "CONFIRMED"
    assert "geometric mean 1" in verdict("20 < nll[wild] on logs", *parts).evidence


def test_magnitudes():
    parts = rows("a", [-100.0, 90.0, -120.0]), rows("b", [1.0, -1.1, 0.9])
    assert verdict("|nll[a]| > |nll[b]| + 50", *parts).verdict == "CONFIRMED"
    assert verdict("|nll[a]| > 10 * |nll[b]| on logs", *parts).verdict == "CONFIRMED"
    assert "no logarithm" in verdict("nll[a] > 10 * |nll[b]| on logs", *parts).evidence
