"""Verdicts at planned looks: what is decided when, and that looking again gives nothing."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from made_rows import rows, table
from scipy import stats

from genbench.judging.cells import cells_of
from genbench.judging.claims import judge
from genbench.judging.looks import rows_of
from genbench.judging.power import predictive_power, seeds_to_decide
from genbench.suites.looks import shares
from genbench.suites.schema import Claim

LOOKS = [5, 10, 20, 40]
RNG = np.random.default_rng(0)
NOISE = RNG.normal(size=(4, 40))


def plan_of(expectations, rows_, looks=LOOKS, first=None):
    claims = [
        Claim.model_validate({"id": f"K{place}", "text": "a sentence", **(
            {"expect": expect} if isinstance(expect, str) else expect
        )})
        for place, expect in enumerate(expectations)
    ]
    runs = [
        SimpleNamespace(method=method, dataset=dataset, seed=seed)
        for method, dataset in rows_ for seed in range(looks[-1] if looks else first)
    ]
    report = SimpleNamespace(claims=claims)
    return SimpleNamespace(
        suite=SimpleNamespace(looks=looks, report=report), runs=runs, further=[],
        metrics=(),
    )


def verdicts(expectations, *parts, looks=LOOKS):
    made = table(*parts)
    plan = plan_of(expectations, {(row.method, row.dataset) for row in made}, looks, 40)
    return judge(plan, cells_of(made))


def a_and_b(seeds, effect):
    return rows("a", NOISE[0, :seeds]), rows("b", NOISE[1, :seeds] + effect)


def test_each_look_spends_the_share_of_its_new_seeds():
    assert shares(LOOKS) == [0.125, 0.125, 0.25, 0.5]
    assert shares([7]) == [1.0]


@pytest.mark.parametrize(("effect", "look"), [(6.0, 1), (2.0, 2), (0.6, 3)])
def test_a_claim_is_decided_at_the_first_look_that_tells_and_stays_so(effect, look):
    seeds = LOOKS[look - 1]
    [found] = verdicts(["nll[a] < nll[b]"], *a_and_b(seeds, effect))
    assert (found.verdict, found.look, found.seeds, found.open) == (
        "CONFIRMED", look, seeds, False
    )
    [later] = verdicts(["nll[a] < nll[b]"], *a_and_b(40, effect))
    assert later == found
    if look > 1:
        [before] = verdicts(["nll[a] < nll[b]"], *a_and_b(LOOKS[look - 2], effect))
        assert (before.verdict, before.look, before.open) == ("INCONCLUSIVE", look - 1, True)


def test_the_p_shown_is_to_be_held_against_the_whole_error():
    a, b = NOISE[0, :10], NOISE[1, :10] + 2.0
    [found] = verdicts(["nll[a] < nll[b]"], *a_and_b(10, 2.0))
    paired, apart = stats.ttest_rel(a, b).pvalue, stats.ttest_ind(a, b, equal_var=False).pvalue
    assert found.p in (pytest.approx(8 * paired), pytest.approx(8 * apart),
                       pytest.approx(16 * min(paired, apart)))
    assert "look 2 of 4" in found.evidence


def test_seeds_between_two_looks_are_not_looked_at():
    [found] = verdicts(["nll[a] < nll[b]"], *a_and_b(9, 2.0))
    [first] = verdicts(["nll[a] < nll[b]"], *a_and_b(5, 2.0))
    assert found == first


@pytest.mark.parametrize("status", ["missing", "running", "interrupted", "failed", "timed-out"])
def test_a_look_waits_for_all_runs_of_its_rows(status):
    a, b = a_and_b(10, 2.0)
    b[7] = rows("b", [status], seeds=[7])[0]
    [found] = verdicts(["nll[a] < nll[b]"], a, b)
    assert (found.look, found.seeds) == (1, 5)
    b[3] = rows("b", [status], seeds=[3])[0]
    [found] = verdicts(["nll[a] < nll[b]"], a, b)
    assert (found.verdict, found.look, found.p, found.open) == ("INCONCLUSIVE", None, None, False)
    assert status in found.evidence
    assert "its first look is at 5 seeds" in found.evidence


def test_before_the_first_look_nothing_is_tested():
    [found] = verdicts(["nll[a] < nll[b]"], *a_and_b(4, 50.0))
    assert (found.verdict, found.p, found.look) == ("INCONCLUSIVE", None, None)


def test_a_diverged_run_has_ended_and_its_row_loses():
    a, b = a_and_b(5, 0.0)
    a[2] = rows("a", ["diverged"], seeds=[2])[0]
    [found] = verdicts(["nll[a] < nll[b]"], a, b)
    assert (found.verdict, found.look) == ("REFUTED", 1)


def test_rows_may_have_different_numbers_of_seeds():
    a, b = a_and_b(40, 0.6)
    c = rows("c", NOISE[2, :5] + 9)
    one, other = verdicts(["nll[a] < nll[b]", "nll[a] < nll[c]"], a, b, c)
    assert (one.look, one.verdict) == (3, "CONFIRMED")
    assert (other.look, other.verdict, other.seeds) == (1, "CONFIRMED", 5)


def test_what_was_decided_before_takes_no_part_in_later_corrections():
    a, b = a_and_b(10, 2.0)
    c = rows("c", NOISE[2, :5] + 30)
    alone, = verdicts(["nll[a] < nll[b]"], a, b)
    beside, other = verdicts(["nll[a] < nll[b]", "nll[a] < nll[c]"], a, b, c)
    assert other.look == 1
    assert (beside.look, beside.p) == (2, alone.p)
    undecided = rows("c", NOISE[2, :5])
    beside, other = verdicts(["nll[a] < nll[b]", "nll[a] < nll[c]"], a, b, undecided)
    assert other.verdict == "INCONCLUSIVE"
    assert beside.p == pytest.approx(2 * alone.p)


def test_an_identity_needs_no_look():
    [found] = verdicts([{"identity": "nll[a] = 1 within 0.1"}], rows("a", [1.0, 1.05]))
    assert (found.verdict, found.look) == ("CONFIRMED", None)


def test_no_difference_is_found_at_a_look():
    same = {"expect": "nll[a] < nll[b]", "margin": 2.0}
    [found] = verdicts([same], *a_and_b(20, 0.0))
    assert (found.verdict, found.look) == ("NO DIFFERENCE", 3)


def test_what_cannot_be_decided_ends_and_says_how_many_seeds_it_would_take():
    b = NOISE[1, :20] - NOISE[1, :20].mean() + NOISE[0, :20].mean() + 0.1
    [found] = verdicts(["nll[a] < nll[b]"], rows("a", NOISE[0, :20]), rows("b", b))
    assert (found.verdict, found.look) == ("INCONCLUSIVE", 3)
    assert (found.futile, found.open) == (True, False)
    assert 40 < found.needs < 10_000
    assert f"it would take about {found.needs:,} seeds" in found.evidence
    equal = rows("a", [1.0] * 5), rows("b", [1.0] * 5)
    [found] = verdicts(["nll[a] < nll[b]"], *equal)
    assert found.futile
    assert "over 10,000 seeds" in found.evidence


def test_after_the_last_look_nothing_is_open():
    [found] = verdicts(["nll[a] < nll[b]"], *a_and_b(40, 0.0))
    assert (found.verdict, found.look) == ("INCONCLUSIVE", 4)
    assert not found.open
    assert not found.futile
    assert found.needs is None or found.needs > 40


def test_a_suite_of_one_look_judges_as_one_without_looks():
    planned, = verdicts(["nll[a] < nll[b]"], *a_and_b(20, 0.9), looks=[20])
    plain, = verdicts(["nll[a] < nll[b]"], *a_and_b(20, 0.9), looks=None)
    assert (planned.p, planned.verdict) == (plain.p, plain.verdict)
    assert plain.look is None


def test_the_rows_of_a_claim_are_those_of_all_its_datasets():
    parts = [rows(method, [1, 2, 3], dataset=dataset)
             for method, dataset in (("a", "ring"), ("a", "grid"), ("b", "ring"), ("b", "grid"),
                                     ("c", "grid"))]
    cells = cells_of(table(*parts))
    claim = Claim(id="K", text="x", expect="nll[a] < nll[b] and nll[c] > 0")
    assert rows_of(claim, cells) == {
        ("a", "ring"), ("a", "grid"), ("b", "ring"), ("b", "grid"), ("c", "grid")
    }
    claim = Claim(id="K", text="x", expect="nll[a] < nll[c]")
    assert rows_of(claim, cells) == {("a", "grid"), ("c", "grid")}


def test_predictive_power_is_that_of_simulated_trials():
    rng, n, total, level = np.random.default_rng(1), 10, 40, 0.01
    for z in (0.0, 1.5):
        effects = rng.normal(z / np.sqrt(n), 1 / np.sqrt(n), size=200_000)
        rest = rng.normal(effects * (total - n), np.sqrt(total - n))
        ends = (z * np.sqrt(n) + rest) / np.sqrt(total) > stats.norm.isf(level)
        assert predictive_power(z, n / total, level) == pytest.approx(ends.mean(), abs=0.004)


def test_the_seeds_it_would_take_have_a_power_of_80_percent():
    needed = seeds_to_decide(1.0, 10, 0.025)
    shift = np.sqrt(needed / 10)
    assert stats.norm.sf(stats.norm.isf(0.025) - shift) == pytest.approx(0.8, abs=0.01)
    assert seeds_to_decide(0.01, 10, 0.025) is None
    assert seeds_to_decide(-1.0, 10, 0.025) is None
