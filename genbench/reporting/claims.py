"""Claims: sentences from papers written as comparisons of cells, judged by statistics.

The text of a claim is read by `genbench.suites.expectation`. It is judged on training seeds:

- paired, where every cell has the same seeds on the same dataset (runs of one seed share the
  order of the data), else by Welch's test;
- at 95 %, two-sided, after Holm's correction for the number of claims in the suite;
- CONFIRMED or REFUTED where the test is significant one way or the other, else INCONCLUSIVE;
- INCONCLUSIVE too with fewer than three seeds, with a run that diverged or is missing (a mean over
  the seeds that survived would flatter the method), with a budget cut by --limit-updates, and
  where one metric was measured under different protocols.

A claim of several comparisons joined by `and` holds if all do (the largest p) and fails if one
does (the smallest p, times their number). One that names no dataset is, in the same way, about
each dataset on which its cells apply. `std(a) < std(b)` compares the spreads over seeds by Brown
and Forsythe's test: Welch's, on the distances from the median. A claim that gives a reason in the
place of a comparison is listed and not judged.
`a ~= b within t` is confirmed if |a − b| is significantly below t (two one-sided tests).
The row `real` has no training seeds; its value counts as known up to its sampling spread.
Where nothing varies, equal values make `<` false and `<=` true.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from genbench.reporting._cells import (
    Cell,
    dataset_names,
    find,
    is_reference,
    trouble_text,
)
from genbench.reporting._digits import mean_text, number, p_text
from genbench.reporting.evidence_text import estimate_text
from genbench.reporting.statistics import (
    ALPHA,
    MIN_SEEDS,
    Test,
    contrast,
    holm,
    mean_and_std,
)
from genbench.suites.expand import Plan
from genbench.suites.expectation import CellName, Expectation, parse_expectations
from genbench.suites.schema import Claim

__all__ = ["Expectation", "Verdict", "judge"]


@dataclass(frozen=True)
class Verdict:
    """What the numbers say of one claim."""

    id: str
    text: str
    expect: str
    verdict: Literal["CONFIRMED", "REFUTED", "INCONCLUSIVE", "NOT JUDGED"]
    evidence: str
    p: float | None
    """Two-sided, after Holm's correction; None where nothing could be tested."""


@dataclass
class _Finding:
    """What one dataset (or a claim's own choice of them) says: p for the claim and against it."""

    evidence: str
    confirm: float = 1.0
    refute: float = 1.0
    tested: bool = False
    applies: bool = True


@dataclass
class _Case:
    findings: list[_Finding] = field(default_factory=list)

    @property
    def confirm(self) -> float:
        return max((finding.confirm for finding in self.findings), default=1.0)

    @property
    def refute(self) -> float:
        smallest = min((finding.refute for finding in self.findings), default=1.0)
        return min(1.0, smallest * len(self.findings))

    @property
    def p(self) -> float | None:
        if not any(finding.tested for finding in self.findings):
            return None
        return min(1.0, 2 * min(self.confirm, self.refute))


def judge(plan: Plan, cells: Sequence[Cell]) -> list[Verdict]:
    """Judge every claim of a suite's plan on the cells of its tidy table, in the suite's order.

    Raises:
        SuiteError: a claim that does not parse (the suite's loader refuses it earlier).
    """
    claims = list(plan.suite.report.claims)
    judged = [claim for claim in claims if claim.expect is not None]
    cases = [
        _Case([finding for part in parse_expectations(str(claim.expect))
               for finding in _findings(part, cells)])
        for claim in judged
    ]
    adjusted = holm([case.p for case in cases])
    verdicts = {
        claim.id: _verdict(claim, case, p, len(judged))
        for claim, case, p in zip(judged, cases, adjusted, strict=True)
    }
    return [
        verdicts.get(claim.id)
        or Verdict(claim.id, claim.text, "", "NOT JUDGED", claim.unjudged, None)
        for claim in claims
    ]


def _verdict(claim: Claim, case: _Case, adjusted: float, claims: int) -> Verdict:
    evidence = "; ".join(finding.evidence for finding in case.findings)
    expect = claim.expect or ""
    if case.p is None:
        return Verdict(claim.id, claim.text, expect, "INCONCLUSIVE", evidence, None)
    name: Literal["CONFIRMED", "REFUTED", "INCONCLUSIVE"] = "INCONCLUSIVE"
    if adjusted <= ALPHA:
        name = "CONFIRMED" if case.confirm < case.refute else "REFUTED"
    if claims > 1:
        evidence += f"; {p_text(adjusted)} after Holm's correction for {claims} claims"
    if name == "INCONCLUSIVE" and all(finding.tested for finding in case.findings):
        evidence += "; within the noise of the seeds"
    return Verdict(claim.id, claim.text, expect, name, evidence, adjusted)


def _findings(expectation: Expectation, cells: Sequence[Cell]) -> list[_Finding]:
    """Judge one comparison on each dataset that it is about."""
    open_ended = any(dataset is None for _, _, dataset in expectation.cells)
    datasets: list[str] = dataset_names(cells) if open_ended else [""]
    findings = []
    for dataset in datasets:
        found = [find(cells, m, row, own or dataset) for m, row, own in expectation.cells]
        if open_ended and not all(found):
            continue  # a row that does not run on this dataset
        findings.append(_finding(expectation, found, dataset))
    if any(finding.applies for finding in findings):
        findings = [finding for finding in findings if finding.applies]
    if not findings:
        names = ", ".join(_name(cell) for cell in expectation.cells)
        findings = [_Finding(f"no dataset has all of {names}")]
    return findings


def _finding(
    expectation: Expectation, found: Sequence[Sequence[Cell]], dataset: str
) -> _Finding:
    for name, cells in zip(expectation.cells, found, strict=True):
        if not cells:
            return _Finding(f"{_name(name, dataset)} was not measured")
        if len(cells) > 1:
            ways = " and ".join(f"{cell.metric}@{cell.protocol}" for cell in cells)
            return _Finding(f"{_name(name, dataset)} was measured under several protocols: {ways}")
    chosen = [cells[0] for cells in found]
    trouble = _trouble(chosen)
    if trouble is not None:
        return trouble
    try:
        compared = [
            cell.transformed(name in expectation.magnitudes, expectation.logs)
            for cell, name in zip(chosen, expectation.cells, strict=True)
        ]
    except ValueError as reason:
        return _Finding(str(reason))
    terms = [(factor, cell) for (factor, _), cell in zip(expectation.terms, compared)]
    values = ", ".join(dict.fromkeys(cell.text for cell in chosen))
    if not any(not is_reference(cell) for cell in chosen):
        return _Finding(f"{values}: the data have no training seeds to test on")
    few = [cell for cell in chosen if not is_reference(cell) and len(cell.values) < MIN_SEEDS]
    if few:
        return _Finding(f"{values}: a verdict needs at least {MIN_SEEDS} seeds")
    return _tested(expectation, terms, values)


def _trouble(cells: Sequence[Cell]) -> _Finding | None:
    """Why these cells cannot be compared, or None."""
    for cell in cells:
        if cell.troubles:
            text = f"{cell.name}: {trouble_text(cell)}"
            if any(trouble.status == "diverged" for trouble in cell.troubles.values()):
                text += ", which is evidence against the method by itself"
            if cell.values:
                text += f"; the other runs {mean_text(cell.sample)}"
            return _Finding(text)
        if not cell.values:
            reason = cell.skipped or "no values"
            return _Finding(f"{cell.name} does not apply: {reason}", applies=False)
        if cell.limited:
            return _Finding(f"{cell.name}: --limit-updates cut the budget, not comparable")
    protocols: dict[tuple[str, str], str] = {}
    for cell in cells:
        if protocols.setdefault((cell.metric, cell.dataset), cell.protocol) != cell.protocol:
            other = protocols[(cell.metric, cell.dataset)]
            return _Finding(
                f"{cell.metric} on {cell.dataset} was measured under different protocols "
                f"({other} and {cell.protocol})"
            )
    return None


def _tested(
    expectation: Expectation, terms: Sequence[tuple[float, Cell]], values: str
) -> _Finding:
    if expectation.spread:
        return _tested_spread(expectation, terms[0][1], terms[1][1], values)
    trained = [(factor, cell) for factor, cell in terms if not is_reference(cell)]
    constant, variance = expectation.constant, 0.0
    for factor, cell in terms:
        if is_reference(cell):
            constant += factor * mean_and_std(cell.sample)[0]
            variance += (factor * cell.sampling_std) ** 2
    shifts = (0.0,) if expectation.tolerance is None else (-1.0, 1.0)
    tests = [
        _test(trained, constant + shift * (expectation.tolerance or 0.0), variance)
        for shift in shifts
    ]
    confirm, refute = _both_ways(expectation.relation, tests)
    p = min(1.0, 2 * min(confirm, refute))
    return _Finding(f"{values}: {estimate_text(expectation, tests, p)}", confirm, refute, True)


def _tested_spread(
    expectation: Expectation, first: Cell, second: Cell, values: str
) -> _Finding:
    distances = []
    for cell in (first, second):
        middle = statistics.median(cell.sample)
        distances.append([abs(value - middle) for value in cell.sample])
    test = contrast([(1.0, distances[0]), (-1.0, distances[1])], kind="Brown-Forsythe")
    confirm, refute = _both_ways(expectation.relation, [test])
    p = min(1.0, 2 * min(confirm, refute))
    text = "; ".join(
        f"std of {cell.name} {number(mean_and_std(cell.sample)[1])}" for cell in (first, second)
    )
    return _Finding(f"{values}; {text}; Brown-Forsythe test, {p_text(p)}", confirm, refute, True)


def _test(terms: Sequence[tuple[float, Cell]], constant: float, variance: float) -> Test:
    """Paired where all cells have the same seeds on one dataset, else Welch's."""
    seeds = {frozenset(cell.values) for _, cell in terms}
    datasets = {cell.dataset for _, cell in terms}
    if len(terms) < 2 or len(seeds) > 1 or len(datasets) > 1:
        samples = [(factor, cell.sample) for factor, cell in terms]
        return contrast(samples, constant, variance=variance)
    shared = sorted(next(iter(seeds)))
    sums = [sum(factor * cell.values[seed] for factor, cell in terms) for seed in shared]
    scale = max(abs(factor * value) for factor, cell in terms for value in cell.sample)
    return contrast([(1.0, sums)], constant, variance=variance, kind="paired", scale=scale)


def _both_ways(relation: str, tests: Sequence[Test]) -> tuple[float, float]:
    """One-sided p for the claim and against it."""
    if relation == "~=":
        upper, lower = tests  # of the contrast less the tolerance, and of it plus the tolerance
        if upper.deterministic:
            inside = upper.estimate <= 0 <= lower.estimate
            return (0.0, 1.0) if inside else (1.0, 0.0)
        confirm = max(upper.p_less, lower.p_greater)
        return confirm, min(upper.p_greater, lower.p_less)
    test = tests[0]
    if test.deterministic and test.estimate == 0:
        return (0.0, 1.0) if "=" in relation else (1.0, 0.0)
    less, greater = test.p_less, test.p_greater
    return (less, greater) if relation in ("<", "<=") else (greater, less)


def _name(cell: CellName, dataset: str = "") -> str:
    metric, row, own = cell
    where = own or dataset
    return f"{metric}[{row}, {where}]" if where else f"{metric}[{row}]"
