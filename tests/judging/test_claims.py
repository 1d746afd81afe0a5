"""Verdicts on claims: right where the answer is known, and honest where there is none."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
from made_rows import rows, table
from scipy import stats

from genbench.errors import GenbenchError, SuiteError
from genbench.judging.cells import Cell, cells_of
from genbench.judging.claim_tests import tested as tried
from genbench.judging.claims import judge
from genbench.judging.exact import lognormal
from genbench.judging.significance import contrast_test
from genbench.judging.statistics import welch
from genbench.suites.expectation import parse_expectation
from genbench.suites.schema import Claim
from genbench.suites.spec import MetricSpec


def verdicts(expectations, *parts):
    claims = [
        Claim.model_validate({"id": f"K{place}", "text": "a sentence", **(
            {"expect": expect} if isinstance(expect, str) else expect
        )})
        for place, expect in enumerate(expectations)
    ]
    plan = SimpleNamespace(
        suite=SimpleNamespace(looks=None, report=SimpleNamespace(claims=claims)), metrics=(),
    )
    return judge(plan, cells_of(table(*parts)))


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
    moved = [row._replace(seed=row.seed + 10) for row in b]
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


WORST = ["diverged", "not-finite"]


@pytest.mark.parametrize("status", WORST)
@pytest.mark.parametrize("expect", [
    "nll[b] < nll[a]", "nll[b] <= nll[a] + 9", "nll[b] ~= nll[a] within 9", "nll[b] < 9",
    "2 * nll[b] < nll[a] on logs", "nll[a] > nll[b]", "std(nll[b]) < std(nll[a])",
    "nll[b] < 9 and nll[a] < 9",
])
def test_a_row_with_the_worst_value_loses(expect, status):
    """The other five seeds would confirm each; nothing is judged on those that survive."""
    a, b = rows("a", [2.0, 2.3, 1.9, 2.1, 2.2, 8.0]), [0.1, 0.11, 0.12, 0.105, 0.115, 0.13]
    fine = verdict(expect, a, rows("b", b))
    if "~=" not in expect:
        assert fine.verdict == "CONFIRMED", fine.evidence
    found = verdict(expect, a, rows("b", [*b[:5], status]))
    assert (found.verdict, found.p) == ("REFUTED", None)
    assert "not finite" in found.evidence


@pytest.mark.parametrize("status", WORST)
def test_that_the_other_row_is_worse_is_for_the_ranks_to_say(status):
    """Exact: 1 of 70 assignments has all four values of b above those of a; 1 of 20 for three."""
    four = verdict("nll[a] < nll[b]", rows("a", [1.0, 1.1, 0.9, 1.05]),
                   rows("b", [2.0, status, 2.1, 2.2]))
    assert (four.verdict, four.p) == ("CONFIRMED", pytest.approx(2 / 70))
    three = verdict("nll[a] < nll[b]", LOW, rows("b", [2.0, status, 2.1]))
    assert (three.verdict, three.p) == ("INCONCLUSIVE", pytest.approx(2 / 20))
    crossed = verdict("nll[a] < nll[b]", rows("a", [1.0, 1.1, 0.9, 1.05]),
                      rows("b", [0.5, status, 0.6, 0.7]))
    assert crossed.verdict == "INCONCLUSIVE"


def test_infinite_on_every_seed_of_a_dataset_stays_in_the_claim():
    ring = [*LOW, *HIGH]
    grid = [*rows("a", ["not-finite"] * 3, dataset="grid"), *rows("b", [2, 3, 4], dataset="grid")]
    assert verdict("nll[a] < nll[b]", ring, grid).verdict == "REFUTED"


def test_higher_is_better_has_its_worst_below():
    a = rows("a", [6.0, 6.1, "not-finite"], better="higher")
    assert verdict("nll[a] > 5", a).verdict == "REFUTED"
    assert verdict("nll[a] < 9", a).verdict == "INCONCLUSIVE"
    none = rows("a", [6.0, 6.1, "not-finite"], better="none")
    assert "without a better direction" in verdict("nll[a] > 5", none).evidence


def test_both_infinite_is_not_settled():
    a, b = rows("a", [1.0, "diverged", 1.1, 1.2]), rows("b", [1.0, "diverged", 1.1, 1.2])
    assert verdict("nll[a] < nll[b]", a, b).verdict == "INCONCLUSIVE"


def test_the_worst_of_a_magnitude_is_infinite_or_unknown():
    lost, fine = ["not-finite"] * 5, rows("b", [1.0, 1.1, 2.0, 2.2, 1.5], better="higher")
    found = verdict("|nll[a]| < |nll[b]|", rows("a", lost, better="higher"), fine)
    assert found.verdict == "INCONCLUSIVE"
    assert "the worst of a magnitude is not known" in found.evidence
    assert verdict("|nll[a]| < |nll[b]|", rows("a", lost), fine).verdict == "REFUTED"
    target = rows("a", lost, better="target", target="3 from below")
    assert verdict("|nll[a]| < 9", target).verdict == "INCONCLUSIVE"


def test_a_metric_that_applies_to_some_seeds_is_not_judged_on_those():
    found = verdict("nll[a] < nll[b]", rows("a", [1.0, 1.1, 0.9, "skipped"]), HIGH)
    assert found.verdict == "INCONCLUSIVE"
    assert "1 of 4 runs skipped" in found.evidence


@pytest.mark.parametrize("status", ["failed", "queued", "timed-out", "skipped"])
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
    agree = [*rows("a", [1, 1.1, 0.9], dataset="grid"), *rows("b", [3, 3.2, 3.1], dataset="grid")]
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


@pytest.mark.parametrize("n", [3, 5, 6])
def test_what_training_made_equal_is_no_certainty(n):
    """No p is below that of an exact test: 2⁻ⁿ a side, for pairs and one sample."""
    six, eight = rows("a", [6.0] * n), rows("b", [8.0] * n)
    for expect in ("nll[a] < nll[b]", "nll[a] < 7", "nll[a] ~= 6 within 0.5"):
        found = verdict(expect, six, eight)
        assert found.p == pytest.approx(2 * 2.0**-n)
        assert found.verdict == ("CONFIRMED" if n == 6 else "INCONCLUSIVE")
    other = [row._replace(seed=row.seed + 10) for row in eight]
    assert verdict("nll[a] < nll[b]", six, other).p == pytest.approx(2 / math.comb(2 * n, n))
    equal = verdict("nll[a] <= nll[c]", six, rows("c", [6.0] * n))
    assert (equal.verdict, equal.p) == ("INCONCLUSIVE", 1)


def test_what_nothing_random_made_is_certain():
    fixed = {"updates": 0, "examples": 0, "sampling_std": None}
    six, eight = rows("a", [6.0] * 3, **fixed), rows("b", [8.0] * 3, **fixed)
    assert verdict("nll[a] < nll[b]", six, eight).p == 0
    assert "without any spread" in verdict("nll[a] < nll[b]", six, eight).evidence
    drawn = rows("b", [8.0] * 3, updates=0, examples=0, sampling_std=0.1)
    fitted = rows("b", [8.0] * 3, updates=0, examples=30_000, sampling_std=None)
    trained = rows("b", [8.0] * 3, updates=100, sampling_std=None)
    for other in (drawn, fitted, trained):
        assert verdict("nll[a] < nll[b]", six, other).p == 0.25
    equal = rows("c", [6.0] * 3, **fixed)
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


@pytest.mark.parametrize(("sets", "n"), [(3, 5), (3, 20), (10, 5), (10, 20)])
def test_a_row_as_good_as_the_data_is_told_from_them_in_5_percent_at_most(sets, n):
    rng, trials = np.random.default_rng(sets * n), 500
    claim, found = parse_expectation("nll[a] < nll[real]"), []
    for _ in range(trials):
        real, own = rng.normal(size=sets), rng.normal(size=(n, sets)).mean(1)
        a = Cell("a", "ring", "nll", "v1", "lower", values=dict(enumerate(map(float, own))))
        data = Cell("real", "ring", "nll", "v1", "lower", values={0: float(real.mean())},
                    spreads={0: float(real.std(ddof=1))}, sets=sets)
        answer = tried(claim, [a, data])
        found.append(2 * min(answer.confirm, answer.refute))
    for level in (0.05, 0.005):
        assert np.mean(np.array(found) <= level) <= level + 2.5 * (level / trials) ** 0.5


def test_a_suite_says_what_was_sampled_and_how_often():
    plan = SimpleNamespace(
        metrics=(MetricSpec(name="emd", options={}), MetricSpec(name="nll", options={})), runs=(),
        suite=SimpleNamespace(
            protocol=SimpleNamespace(sets=1), looks=None,
            report=SimpleNamespace(claims=[Claim(id="K", text="so", expect="emd[a] > emd[real]"),
                                           Claim(id="L", text="so", expect="emd[b] > emd[c]"),
                                           Claim(id="M", text="so", expect="nll[b] > nll[c]")]),
        ),
    )
    sampled = {"metric": "emd", "sampling_std": None}
    fixed = {"updates": 0, "examples": 0, "sampling_std": None}
    made = table(
        rows("a", [1.0, 1.1, 1.05, 1.2], **sampled), rows("real", [0.1], **sampled),
        *(rows(name, [value] * 3, **{"metric": metric, **fixed})
          for metric in ("emd", "nll") for name, value in (("b", 2.0), ("c", 1.0))),
    )
    real, drawn, exact = judge(plan, cells_of(made))
    assert (real.verdict, real.p) == ("INCONCLUSIVE", None)
    assert "one set of samples" in real.evidence
    assert (drawn.verdict, exact.verdict) == ("INCONCLUSIVE", "CONFIRMED")
    assert exact.p == 0
    plan.suite.protocol.sets = 3
    assert "one set of samples" not in judge(plan, cells_of(made))[0].evidence


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
    with pytest.raises(GenbenchError, match="two rows"):
        verdict("nll[a] < 1", LOW, LOW)


def test_a_claim_that_is_newer_than_its_runs_is_post_hoc():
    old, new = (Claim(id=name, text="a sentence", expect=expect) for name, expect in
                (("old", "nll[a] < nll[b]"), ("new", "nll[a,ring] < 1.5")))
    plan = SimpleNamespace(
        suite=SimpleNamespace(looks=None, report=SimpleNamespace(claims=[old, new])),
        metrics=(),
    )
    cells = cells_of([*LOW, *HIGH])

    def post_hoc(planned):
        return [found.post_hoc for found in judge(plan, cells, planned)]

    first, both = frozenset({old.mark(None)}), frozenset({old.mark(None), new.mark(None)})
    assert post_hoc({("a", "ring"): [first] * 3, ("b", "ring"): [first] * 3}) == [False, True]
    assert post_hoc({("a", "ring"): [both] * 3, ("b", "ring"): [frozenset()]}) == [True, False]
    assert post_hoc({("a", "ring"): [both, both, first]}) == [False, True]
    assert post_hoc({}) == [None, None]
    unknown = {("a", "ring"): [first, None], ("b", "ring"): [first]}  # runs of old say nothing
    assert post_hoc(unknown) == [None, True]
    assert old.mark(None) == Claim(id="x", text="other", expect=" nll[a]  < nll[b]").mark(None)


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
    found = verdicts([{"unjudged": "why not"}, "nll[a] < nll[b]"], LOW, HIGH)
    assert found[0].verdict == "NOT JUDGED"
    assert found[0].evidence == "why not"
    assert found[1].verdict == "CONFIRMED"
    assert "Holm" not in found[1].evidence


def test_spreads_are_compared():
    rng = np.random.default_rng(0)
    narrow, wide = rows("a", rng.normal(size=12)), rows("b", 8 * rng.normal(size=12) + 3)
    assert verdict("std(nll[a]) < std(nll[b])", narrow, wide).verdict == "CONFIRMED"
    assert verdict("std(nll[a, ring]) > std(nll[b])", narrow, wide).verdict == "REFUTED"
    found = verdict("std(nll[a]) < std(nll[b])", narrow, wide)
    assert "test of log distances from the median" in found.evidence
    still = verdict("std(nll[a]) < std(nll[b])", rows("a", [3.0] * 5), rows("b", range(5)))
    assert still.verdict == "CONFIRMED"
    assert still.p == pytest.approx(2 / math.comb(8, 4))


@pytest.mark.parametrize(("a", "b"), [
    ([1, 2, 3], [10, 20, 30]), ([4, 5, 6], [3, 5, 7]), ([0.4, 0.5, 0.6], [3, 4.1, 5]),
    ([1, 2, 3, 4], [1, 1.1, 1.3, 9]), ([1, 1, 1], [2, 2, 2]), ([1, 1, 1, 2], [2, 2, 2, 9]),
])
def test_equal_spacings_are_no_certainty(a, b):
    """The exact test of two distances each has no p below 1/6 a side, of three none below 1/20."""
    for left, right in (("a", "b"), ("b", "a")):
        found = verdict(f"std(nll[{left}]) < std(nll[{right}])", rows("a", a), rows("b", b))
        assert found.p >= (1 / 3 if len(a) == 3 else 1 / 10)


def test_spreads_of_whole_numbers_keep_the_level():
    rng = np.random.default_rng(8)
    claim = parse_expectation("std(nll[a]) < std(nll[b])")
    for n in (3, 5):
        found = []
        for _ in range(600):
            cells = [Cell(name, "ring", "nll", "v1", "lower", values=dict(enumerate(
                map(float, np.round(rng.normal(0, 2, n)))))) for name in "ab"]
            answer = tried(claim, cells)
            found.append(2 * min(answer.confirm, answer.refute))
        assert np.mean(np.array(found) <= 0.005) <= 0.013  # equal spacings alone were 2 %


def test_spreads_far_apart_are_told_apart_by_five_seeds():
    near, far = np.array([4.0, 5, 6.5, 7.2, 3.1]), np.array([4.0, 1.2, 9, 6.1, 2.5])
    found = verdict("std(nll[a]) < std(nll[b])", rows("a", 1e-6 * near), rows("b", 1e6 * far))
    assert found.verdict == "CONFIRMED"
    assert found.p < 1e-4


@pytest.mark.parametrize(("draw", "most"), [
    ("normal", 0.05), ("uniform", 0.05), ("t", 0.05), ("lognormal", 0.05), ("wild", 0.07),
])
@pytest.mark.parametrize("n", [3, 5, 10])
def test_the_size_and_power_of_the_test_of_spreads(draw, most, n):
    """Equal spreads told apart, and spreads of 1 and 10 told apart, by simulation."""
    rng = np.random.default_rng(n)
    draws = {
        "normal": rng.normal, "uniform": rng.uniform,
        "t": lambda size: rng.standard_t(3, size),
        "lognormal": lambda size: np.exp(0.5 * rng.normal(size=size)),
        "wild": lambda size: np.exp(2 * rng.normal(size=size)),
    }
    trials, claim = 800, parse_expectation("std(nll[a]) < std(nll[b])")

    def share(factor):
        a, b = draws[draw](size=(trials, n)), factor * draws[draw](size=(trials, n))
        found = [
            tried(claim, [Cell(name, "ring", "nll", "v1", "lower", values=dict(enumerate(x)))
                           for name, x in (("a", one), ("b", other))])
            for one, other in zip(a.tolist(), b.tolist(), strict=True)
        ]
        return np.mean([2 * min(each.confirm, each.refute) <= 0.05 for each in found])

    assert share(1) <= most + 2.5 * (most * (1 - most) / trials) ** 0.5
    few, some, many = (0.02, 0.15, 0.45) if draw == "wild" else (0.07, 0.5, 0.85)
    assert share(10) >= {3: few, 5: some, 10: many}[n]


def test_heavy_tails_are_judged_on_logarithms_where_both_rows_have_them():
    wild = rows("a", [0.3, 1.0, 2.0, 30.0, 7.0])
    both = verdict("nll[a] < nll[b]", wild, rows("b", [3.0, 12.0, 21.0, 250.0, 90.0]))
    assert "paired test on logs (heavy tails)" in both.evidence
    for expect in ("nll[a] < 100", "nll[a] < nll[b]", "nll[a] < nll[c] + 1",
                   "nll[a] < nll[real]"):
        found = verdict(expect, wild, rows("b", [9.0, 9.1, 9.3, 8.8, 9.05]),
                        rows("c", [3.0, 12.0, 21.0, 250.0, 90.0]),
                        rows("real", [9.0], sampling_std=0.1))
        assert "on logs" not in found.evidence


@pytest.mark.parametrize("n", [5, 10, 20, 40])
def test_rows_of_one_mean_and_other_shapes_are_held_by_their_means(n):
    """By geometric means, exponential values lie below others of their mean in 85 % (n = 40)."""
    rng, trials = np.random.default_rng(n), 500
    others = {"number": None, "normal": lambda: 1 + 0.02 * rng.normal(size=n)}
    for draw in others.values():
        found = []
        for _ in range(trials):
            terms = [(1.0, dict(enumerate(rng.exponential(size=n).tolist())))]
            if draw is not None:
                terms.append((-1.0, dict(enumerate(draw().tolist()))))
            found.append(contrast_test(terms, 0.0 if draw else -1.0, pairs=True))
        assert not any(test.logs for test in found)
        assert np.mean([test.p <= 0.05 for test in found]) < 0.1
        assert np.mean(["Hall's" in test.kind for test in found]) > 0.4


@pytest.mark.parametrize(("draw", "share"), [
    ("lognormal", 0.97), ("uniform", 0.0), ("half-normal", 0.35), ("offset", 0.0),
])
def test_more_seeds_do_not_make_tails_heavy(draw, share):
    """By the largest value over the smallest, 40 seeds of 9 in 10 uniform samples would be."""
    rng = np.random.default_rng(4)
    values = {
        "lognormal": lambda n: np.exp(rng.normal(size=n)), "uniform": lambda n: rng.random(n),
        "half-normal": lambda n: np.abs(rng.normal(size=n)),
        "offset": lambda n: 50 + rng.exponential(size=n),
    }[draw]
    for n in (10, 40):
        found = np.mean([lognormal([values(n), values(n)]) for _ in range(400)])
        assert found >= 0.65 if draw == "lognormal" else found <= share + 0.05
    if draw == "lognormal":
        assert found >= share


@pytest.mark.parametrize("pairs", [True, False])
@pytest.mark.parametrize("n", [3, 5, 10])
def test_two_rows_with_heavy_tails_keep_the_level_and_gain_power(pairs, n):
    rng = np.random.default_rng(n)

    def share(test, factor):
        a, b = np.exp(2 * rng.normal(size=(2, 600, n)))
        return np.mean([test(dict(enumerate(x)), dict(enumerate(y))).p <= 0.05
                        for x, y in zip(a.tolist(), (factor * b).tolist(), strict=True)])

    def logs(x, y):
        return contrast_test([(1.0, x), (-1.0, y)], pairs=pairs)

    assert share(logs, 1) <= 0.05 + 2.5 * (0.05 * 0.95 / 600) ** 0.5
    if n > 3:
        assert share(logs, 100) > 2 * share(lambda x, y: welch([*x.values()], [*y.values()]), 100)


def test_heavy_tails_with_both_signs_are_counted_out():
    wild = rows("a", [-3.0, 0.1, 0.2, -0.1, 900.0, 0.15])
    other = rows("b", [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], seeds=range(10, 16))
    assert "exact Welch test" in verdict("nll[a] < nll[b]", wild, other).evidence


def test_ratios_of_what_differs_by_factors():
    """The paired t-test on logarithms, by SciPy."""
    wild, tame = [26.0, 341.0, 253.0, 106.0, 949.0], [3.2, 3.8, 3.5, 3.2, 4.0]
    parts = rows("wild", wild), rows("tame", tame)
    itself = verdict("nll[wild] > 10 * nll[tame]", *parts)
    found = verdict("nll[wild] > 10 * nll[tame] on logs", *parts)
    test = stats.ttest_1samp(np.log(wild) - np.log(tame) - np.log(10), 0)
    assert found.p == pytest.approx(test.pvalue)
    assert itself.p > 2 * found.p  # of means: the other row's tails are not heavy
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


@pytest.mark.parametrize(("expect", "quantity", "value", "interval"), [
    ("nll[a] < nll[b]", "difference", -3.1 / 3, True),
    ("nll[a] ~= nll[b] within 2", "difference", -3.1 / 3, True),
    ("nll[a] < 5", "difference", -4.0, True),
    ("2 * nll[a] < nll[b] on logs", "ratio", None, True),
    ("std(nll[a]) < std(nll[b])", "ratio of stds", None, False),
    ("nll[a] < nll[b] and nll[a] < 5", None, None, False),
])
def test_the_effect_is_a_number_with_its_interval(expect, quantity, value, interval):
    found = verdict(expect, LOW, HIGH)
    assert found.seeds == 3
    if quantity is None:
        assert found.effect is None
        return
    effect = found.effect
    assert effect.quantity == quantity
    assert value is None or effect.value == pytest.approx(value)
    assert (effect.low is not None) == interval
    if interval:
        assert effect.low < effect.value < effect.high
        assert effect.text.startswith(f"{quantity} ")
        assert f"95 % CI [{effect.ends}]" in found.evidence


def test_an_identity_has_its_largest_deviation_and_nothing_measured_has_no_effect():
    exact = {"identity": "nll[a] = 1 within 0.2"}
    found = verdict(exact, LOW)
    assert (found.effect.quantity, found.effect.low) == ("largest deviation", None)
    assert found.effect.value == pytest.approx(0.1)
    lost = verdict("nll[a] < nll[c]", LOW)
    assert (lost.effect, lost.seeds) == (None, None)
    assert verdict("nll[c] < 1", LOW).seeds is None
    worst = verdict("nll[a] < nll[b]", rows("a", [1.0, 1.2, "diverged"]), HIGH)
    assert (worst.verdict, worst.effect, worst.seeds) == ("REFUTED", None, 3)
