"""NO DIFFERENCE and identities: found where they are true, and not where they are not."""

from __future__ import annotations

import math

import numpy as np
import pytest
from made_rows import rows, table

from genbench.errors import SuiteError
from genbench.judging.cells import cells_of
from genbench.judging.claims import ClaimVerdict, judge
from genbench.judging.margins import within_margin
from genbench.store.table import MetricRow
from genbench.suites.expectation import parse_expectation, parse_identities
from genbench.suites.plan import Plan
from genbench.suites.schema import Claim, Margin


class _Report:
    def __init__(self, claims: list[Claim]) -> None:
        self.report = self
        self.suite = self
        self.claims, self.looks, self.metrics = claims, None, ()


def verdicts(claims: list[dict[str, object]], *parts: list[MetricRow]) -> list[ClaimVerdict]:
    made = [Claim.model_validate({"id": f"K{n}", "text": "so", **one})
            for n, one in enumerate(claims)]
    plan: Plan = _Report(made)  # type: ignore[assignment]
    return judge(plan, cells_of(table(*parts)))


def verdict(claim: dict[str, object], *parts: list[MetricRow]) -> ClaimVerdict:
    return verdicts([claim], *parts)[0]


FIVE = [1.0, 1.1, 0.9, 1.05, 0.95]
A, B = rows("a", FIVE), rows("b", [1.02, 1.06, 0.93, 1.0, 1.01])
FAR = rows("b", [2.0, 2.1, 1.9, 2.05, 1.95])


@pytest.mark.parametrize(("margin", "near", "far"), [
    (0.3, "NO DIFFERENCE", "CONFIRMED"), (0.01, "INCONCLUSIVE", "CONFIRMED"),
    ({"factor": 1.3}, "NO DIFFERENCE", "CONFIRMED"),
    ({"factor": 1.01}, "INCONCLUSIVE", "CONFIRMED"),
    ({"spread": 4}, "NO DIFFERENCE", "CONFIRMED"), ({"spread": 0.1}, "INCONCLUSIVE", "CONFIRMED"),
    (None, "INCONCLUSIVE", "CONFIRMED"),
])
def test_a_margin_decides(margin: object, near: str, far: str) -> None:
    claim = {"expect": "nll[a] < nll[b]", "margin": margin}
    assert verdict(claim, A, B).verdict == near
    assert verdict(claim, A, FAR).verdict == far
    other = {"expect": "nll[b] < nll[a]", "margin": margin}
    assert verdict(other, A, B).verdict == near
    assert verdict(other, A, FAR).verdict == "REFUTED"


def test_a_difference_that_is_there_and_does_not_matter_is_none() -> None:
    """By pairs it is certain that b is worse, by 0.1."""
    worse = rows("b", [value + 0.1 + step for value, step in zip(FIVE, (0, 1e-3, 2e-3, 0, 1e-3),
                                                                 strict=True)])
    assert verdict({"expect": "nll[a] < nll[b]"}, A, worse).verdict == "CONFIRMED"
    found = verdict({"expect": "nll[a] < nll[b]", "margin": 0.2}, A, worse)
    assert found.verdict == "NO DIFFERENCE"
    assert found.expect == "nll[a] < nll[b], margin 0.2"
    assert "within 0.2: p < 0.0001" in found.evidence


def test_what_is_infinite_or_missing_is_no_equal() -> None:
    for status in ("failed", "not-finite"):
        other = rows("b", [1.0, 1.0, 1.1, 0.9, status])
        claim = {"expect": "nll[b] < nll[a]", "margin": 100}
        assert verdict(claim, A, other).verdict in ("INCONCLUSIVE", "REFUTED")


def test_a_margin_holds_on_every_dataset() -> None:
    claim = {"expect": "nll[a] < nll[b]", "margin": 0.3}
    there = [rows(row, FIVE, dataset="grid") for row in "ab"]
    far = [there[0], rows("b", [3.0, 3.1, 2.9, 3.0, 3.05], dataset="grid")]
    assert verdict(claim, A, B, *there).verdict == "NO DIFFERENCE"
    assert verdict(claim, A, B, *far).verdict == "INCONCLUSIVE"


def test_a_factor_needs_positive_values() -> None:
    claim = {"expect": "nll[a] < nll[b]", "margin": {"factor": 2}}
    found = verdict(claim, A, rows("b", [-1.0, -1.1, -0.9, -1.0, 1.2]))
    assert "has no logarithm" in found.evidence
    assert found.verdict != "NO DIFFERENCE"


@pytest.mark.parametrize("margin", [1.0, Margin(spread=1.0), Margin(factor=math.e)])
@pytest.mark.parametrize("n", [5, 10, 20])
def test_level_and_power_of_equivalence(margin: float | Margin, n: int) -> None:
    """At the margin's very edge 2.5 % are found equal at most, inside more with every seed."""
    rng = np.random.default_rng(n)
    factor = isinstance(margin, Margin) and margin.factor is not None
    level = [_equal(rng, n, 1.0, margin, factor) for _ in range(1500)]
    assert np.mean(level) <= 0.025 + 3 * math.sqrt(0.025 * 0.975 / 1500)
    inside = [_equal(rng, n, 0.0, margin, factor) for _ in range(300)]
    at_least = {5: 0.0, 10: 0.15, 20: 0.65}[n]
    assert np.mean(inside) >= at_least


def _equal(
    rng: np.random.Generator, n: int, apart: float, margin: float | Margin, factor: bool
) -> bool:
    """Whether normal samples of spread 1 and that difference (of logarithms) are found equal."""
    samples = [rng.normal(0, 1, n), rng.normal(apart, 1, n)]
    values = [np.exp(sample) if factor else sample + 30 for sample in samples]
    seeds = [range(n), range(n, 2 * n)]
    parts = [rows(row, list(map(float, sample)), seeds=seed)
             for row, sample, seed in zip("ab", values, seeds, strict=True)]
    cells = sorted(cells_of(table(*parts)), key=lambda cell: cell.method)
    return within_margin(parse_expectation("nll[a] < nll[b]"), cells, margin)[0] <= 0.025


@pytest.mark.parametrize(("identity", "answer"), [
    ("nll[a, ring] = log(e ** 2) / 2 within 0.11", "CONFIRMED"),
    ("nll[a] = 1 within 0.05", "REFUTED"),
    ("nll[a] = 1 ± 0.11 and 2 * nll[a] - 1 = 1 within 0.21", "CONFIRMED"),
    ("nll[a] = 1 within 0.11 and nll[b] = 1 within 0.01", "REFUTED"),
    ("|nll[a]| - nll[b] = 0 within 0.1", "CONFIRMED"),
    ("nll[a] - nll[real] = -1 within 0.11", "CONFIRMED"),
    ("nll[real] = 2 within 1e-9", "CONFIRMED"), ("nll[c] = 1 within 9", "REFUTED"),
    ("nll[d] = 1 within 9", "INCONCLUSIVE"), ("nll[e] = 1 within 9", "INCONCLUSIVE"),
])
def test_identities(identity: str, answer: str) -> None:
    real = rows("real", [2.0])
    found = verdict(
        {"identity": identity}, A, B, real, rows("c", [1.0, "not-finite"]),
        rows("d", [1.0, "failed"]),
    )
    assert (found.verdict, found.p) == (answer, None), found.evidence


def test_an_identity_is_no_test_and_costs_the_others_nothing() -> None:
    claims: list[dict[str, object]] = [{"expect": "nll[a] < nll[b]"}] + [
        {"identity": "nll[a] = 1 within 0.2"}
    ] * 9
    alone = verdict(claims[0], A, B)
    first, *others = verdicts(claims, A, B)
    assert first.p == alone.p
    assert {one.verdict for one in others} == {"CONFIRMED"}
    assert "off by 0.1 at most (5 runs), within 0.2" in others[0].evidence


def test_a_run_without_its_partner_is_counted_beside_an_identity():
    identity = {"identity": "nll[a] - nll[b] = 0 within 0.2"}
    found = verdict(identity, A, rows("b", [1.0, 1.1, 0.9]))
    assert found.verdict == "CONFIRMED"
    assert "(3 runs; 2 more seeds have not all of these rows)" in found.evidence
    assert "more" not in verdict(identity, A, B).evidence


def test_a_few_runs_are_enough_for_an_identity() -> None:
    assert verdict({"identity": "nll[a] = 1 within 0.1"}, rows("a", [1.0])).verdict == "CONFIRMED"


@pytest.mark.parametrize(("text", "value"), [
    ("log(2)", math.log(2)), ("2 * log(2)", 2 * math.log(2)), ("-pi / 4", -math.pi / 4),
    ("(1 + sqrt(5)) / 2", (1 + math.sqrt(5)) / 2), ("exp(-1)", math.exp(-1)), ("2 ** 3", 8),
    ("1e-3", 1e-3),
])
def test_exact_values(text: str, value: float) -> None:
    [found] = parse_identities(f"nll[a[x=1], ring] = {text} within 0.5")
    assert -found.constant == pytest.approx(value, rel=1e-15)
    assert (found.relation, found.tolerance) == ("=", 0.5)
    assert found.cells == [("nll", "a[x=1]", "ring")]


@pytest.mark.parametrize("text", [
    "1/0", "log(-1)", "9 ** 9 ** 9", "__import__('os')", "True", "1 if 1 else 2", "", "'a'", "2j",
    "exp(1000)", "sqrt(2, 3)", "pi()", "(" * 500 + "1" + ")" * 500,
])
def test_what_is_no_exact_value(text: str) -> None:
    with pytest.raises(SuiteError):
        parse_identities(f"nll[a] = {text} within 0.5")


def test_a_margin_is_part_of_what_a_run_records() -> None:
    plain = Claim(id="K", text="so", expect="nll[a] < nll[b]")
    assert len({plain.mark, plain.model_copy(update={"margin": 0.1}).mark,
                plain.model_copy(update={"margin": Margin(factor=1.1)}).mark}) == 3
