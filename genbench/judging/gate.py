"""The regression gate: new numbers held against an accepted baseline.

Every cell (method, dataset, metric, protocol) gets one verdict:

ok                within its tolerance, or better
improved          better by more than its tolerance, and significantly
unresolved        worse by more than its tolerance, and not told from the seeds' noise; with the
                  smallest change that would have been
regressed         worse by more than its tolerance, and significantly
changed           with `exact`: not the same bits
inconclusive      worse by more than its tolerance, with fewer than three seeds on one side
changed-protocol  measured, but otherwise than the baseline was: not compared
missing           in the baseline, and not measured now
failed            a run failed, or diverged where the baseline's did not, or gave no finite value
new               measured now, and not in the baseline

*Worse* follows the metric's direction; metrics with none are not gated (their runs must still not
fail). A value that is not finite is the worst there is. A tolerance is the baseline's own, else
the suite's, else what the metric declares in its unit, else 2 % of the baseline's mean.
*Significant* is a one-sided test at 5 % (`difference_test`: Welch's, and by pairs where both sides
have the same seeds), after Holm's correction over the cells compared: a suite of unchanged methods
raises a false alarm one time in twenty at most. Cells whose values are the same bits as the
baseline's are not part of that family: nothing that a seed decides put them there, and counting
them would only hide a regression elsewhere. Where one side has seeds that the other has not, a row
is unchanged if everything that was measured with the others is the same bits.

With fewer than three seeds there is no estimate of noise. Within the tolerance is ok; beyond it a
regression cannot be told from noise, and a gate that then said "fine" would guard nothing. Such a
cell is `inconclusive`, named loudly, and fails the check (exit 1) like a regression, unless
`allow_inconclusive` is set. The remedies: three seeds or more, or a tolerance for this metric in
the suite that covers its noise. The reference row `real`, which no seed trains, is tolerated
three sampling spreads of a difference besides.

Exit codes: 1 if a cell regressed or changed (or is inconclusive); else 3 if one failed, is missing
or changed its protocol, or if nothing at all was compared; else 0. GenbenchError is the caller's
exit 2.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean

from genbench.errors import GenbenchError
from genbench.judging.baseline import (
    DEFAULT_TOLERANCE,
    Baseline,
    Tolerance,
    accept,
    as_now,
    changes,
    read_baseline,
    refuse_limited,
    specifications,
    suite_of,
)
from genbench.judging.cells import Cell, cells_of, is_reference, trouble_text
from genbench.judging.made_with import made_otherwise
from genbench.judging.outcome import EVERY, VERDICTS, CellVerdict, GateOutcome
from genbench.judging.power import how, smallest_change, would_be
from genbench.judging.significance import difference_test
from genbench.judging.statistics import ALPHA, MIN_SEEDS, Test, holm
from genbench.store.provenance import Facts
from genbench.store.table import MetricRow
from genbench.suites.plan import Plan
from genbench.text.markdown import seed_list
from genbench.text.numbers import number, p_text

__all__ = [
    "DEFAULT_TOLERANCE", "VERDICTS", "Baseline", "CellVerdict", "GateOutcome",
    "Tolerance", "accept", "check", "read_baseline",
]


@dataclass(frozen=True)
class _Compared:
    """A finding that waits for Holm's correction."""

    finding: CellVerdict
    before: float
    """The baseline's mean."""
    worse: float
    """How much worse the mean is, in the metric's unit; negative if better."""
    allowed: float
    test: Test
    """Of what the values cost now, less what they cost before."""


def check(
    rows: Sequence[MetricRow], baseline: Baseline | Path, *, allow_inconclusive: bool = False,
    exact: bool = False, plan: Plan | None = None, made: Facts | None = None,
) -> GateOutcome:
    """Hold a suite's tidy table against its baseline.

    With the `plan`, what changed in its rows since the baseline is named, and its tolerances hold;
    with what the runs were `made` with, what differs in that. `exact` asks for the same bits.

    Raises:
        GenbenchError: the baseline is missing, damaged or of another suite, --limit-updates cut a
            budget.
    """
    accepted = read_baseline(baseline) if isinstance(baseline, Path) else baseline
    cells = cells_of(rows)
    if suite_of(rows) != accepted.suite:
        raise GenbenchError(
            f"the baseline is of the suite '{accepted.suite}', not of '{suite_of(rows)}'"
        )
    refuse_limited(rows)
    by_row: dict[tuple[str, str, str], list[Cell]] = {}
    for cell in cells:
        by_row.setdefault((cell.method, cell.dataset, cell.metric), []).append(cell)
    if plan is not None:
        tolerances = {**plan.suite.tolerances, **accepted.tolerances}
        accepted = replace(accepted, tolerances=tolerances)
    same = _unchanged_rows(accepted.cells, cells)
    settled: list[CellVerdict] = []
    waiting: list[_Compared] = []
    for old in accepted.cells:
        now = by_row.get(old.key[:3], [])
        result = _against(old, now, accepted, exact, old.key[:2] in same)
        if isinstance(result, _Compared):
            waiting.append(result)
        elif result is not None:
            settled.append(result)
    settled += _judged(waiting)
    settled += _unknown(cells, accepted)
    settled.sort(
        key=lambda f: (VERDICTS.index(f.verdict), f.dataset, f.method, f.metric, f.protocol)
    )
    changed = _changed(accepted, plan) if plan is not None else []
    changed += made_otherwise(accepted.made_with, made or {})
    return GateOutcome(accepted.suite, tuple(settled), allow_inconclusive, tuple(changed))


def _unchanged_rows(old: Sequence[Cell], new: Sequence[Cell]) -> set[tuple[str, str]]:
    """The rows of which both sides have the same bits wherever both have a value.

    Whole numbers alone, as of modes, could be the same by chance, and what has no direction may
    be of the data, whatever was trained.
    """
    now = {cell.key: cell.values for cell in new}
    told, moved = set[tuple[str, str]](), set[tuple[str, str]]()
    for cell in old:
        values = now.get(cell.key, {})
        both = [(cell.values[seed], values[seed]) for seed in cell.values.keys() & values.keys()]
        if any(before != after for before, after in both):
            moved.add(cell.key[:2])
        if cell.directed and any(before % 1 for before, _ in both):
            told.add(cell.key[:2])
    return told - moved


def _changed(accepted: Baseline, plan: Plan) -> list[str]:
    """What changed in the specifications of the rows that the baseline knows."""
    now, lines = specifications(plan), list[str]()
    for dataset, rows in accepted.specifications.items():
        for method, before in rows.items():
            if method in now.get(dataset, {}):
                lines += [f"{method} on {dataset}: {line}"
                          for line in changes(as_now(before), as_now(now[dataset][method]))]
    return lines


def _against(
    old: Cell, now: Sequence[Cell], accepted: Baseline, exact: bool, same: bool
) -> CellVerdict | _Compared | None:
    """One cell of the baseline against what the table has of it; None if it is not gated."""
    blank = CellVerdict(
        old.method, old.dataset, old.metric, old.protocol, old.better, old.unit, "ok", "",
        baseline=tuple(old.sample),
    )
    new = next((cell for cell in now if cell.protocol == old.protocol), None)
    if new is None:
        # A row none of whose runs ended carries no protocol at all.
        new = next((cell for cell in now if not cell.values and cell.troubles), None)
    if new is not None and not _expected(old, new):
        verdict = "missing" if new.not_run else "failed"
        return replace(blank, verdict=verdict, detail=trouble_text(new), values=tuple(new.sample))
    if old.better == "none" and not exact:
        return None
    if new is None:
        protocols = [cell.protocol for cell in now if cell.values]
        if protocols:
            detail = f"the baseline's protocol is {old.protocol}, now it is {', '.join(protocols)}"
            return replace(blank, verdict="changed-protocol", detail=detail)
        skipped = next((cell.skipped for cell in now if cell.skipped is not None), None)
        detail = "no longer in the suite" if skipped is None else f"does not apply: {skipped}"
        return replace(blank, verdict="missing", detail=detail)
    found = replace(blank, values=tuple(new.sample))
    if not new.values:
        if not old.values and new.troubles:
            return replace(found, detail=f"{trouble_text(new)}, as in the baseline", compared=True)
        detail = f"does not apply: {new.skipped}" if new.skipped else "not measured"
        return replace(found, verdict="missing", detail=detail)
    if not old.values:
        return replace(
            found, verdict="improved", detail="the baseline has no finite value", compared=True
        )
    found = replace(found, compared=True)
    if old.values == new.values and sorted(old.troubles) == new.lost:
        return replace(found, detail="the same values")
    both = sorted(old.values.keys() & new.values.keys())
    if exact:
        return _by_bits(found, old, new, both)
    if same and both:
        return replace(found, detail=f"the same values for {seed_list(both)}")
    return _compare(found, old, new, accepted.tolerance(old, new.tolerance))


def _expected(old: Cell, new: Cell) -> bool:
    """Whether every trouble of the table is one that the baseline was accepted with."""
    return all(
        seed in old.troubles and old.troubles[seed].status == trouble.status
        for seed, trouble in new.troubles.items()
    )


def _by_bits(found: CellVerdict, old: Cell, new: Cell, both: Sequence[int]) -> CellVerdict:
    """Whether the seeds that both sides have gave the same bits."""
    if not both:
        detail = "no seed is on both sides"
        return replace(found, verdict="missing", detail=detail, compared=False)
    other = [seed for seed in both if old.values[seed] != new.values[seed]]
    if not other:
        return replace(found, detail=f"the same values for {seed_list(both)}")
    most = max(abs(new.values[seed] - old.values[seed]) for seed in other)
    detail = f"not the same bits: {seed_list(other)}, by {number(most, 2)} at most"
    return replace(found, verdict="changed", detail=detail)


def _compare(
    found: CellVerdict, old: Cell, new: Cell, tolerance: Tolerance
) -> CellVerdict | _Compared:
    # with the target of now
    before = replace(new, values=old.values, troubles=old.troubles).costs
    after = new.costs
    mean = fmean(old.sample)
    worse = _mean(after) - _mean(before)
    if math.isnan(worse):  # the same seeds are infinite on both sides
        worse = _mean(_finite(after)) - _mean(_finite(before))
    allowed = tolerance.allowed(mean)
    if min(len(before), len(after)) >= MIN_SEEDS:
        test = difference_test(after, before, certain=new.fixed)
        return _Compared(found, mean, worse, allowed, test)
    if is_reference(new):
        allowed = max(allowed, 3 * math.sqrt(2) * new.sampling_std)
    change = _change(worse, mean)
    if abs(worse) <= allowed:
        return replace(found, detail=f"{change}, within the tolerance of {number(allowed)}")
    if worse < 0:
        return replace(found, detail=f"{change}; too few seeds to call it an improvement")
    return replace(
        found, verdict="inconclusive",
        detail=f"{change}, beyond the tolerance of {number(allowed)}, with fewer than {MIN_SEEDS} "
        f"seeds: run more, or give {old.metric} a tolerance in the suite",
    )


def _mean(costs: Mapping[int, float]) -> float:
    return math.inf if math.inf in costs.values() else fmean(costs.values())


def _finite(costs: Mapping[int, float]) -> dict[int, float]:
    return {seed: cost for seed, cost in costs.items() if math.isfinite(cost)}


def _judged(waiting: Sequence[_Compared]) -> list[CellVerdict]:
    """Both directions are families of their own, each at 5 %."""
    worse = holm([item.test.p_greater for item in waiting])
    better = holm([item.test.p_less for item in waiting])
    judged, level = [], ALPHA / max(1, len(waiting))
    for item, p_worse, p_better in zip(waiting, worse, better, strict=True):
        p = p_worse if item.worse > 0 else p_better
        change, verdict, smallest = _change(item.worse, item.before), "ok", None
        if abs(item.worse) <= item.allowed:
            why = f"within the tolerance of {number(item.allowed)}"
        elif p <= ALPHA:
            verdict = "regressed" if item.worse > 0 else "improved"
            why = f"beyond the tolerance of {number(item.allowed)}"
        else:
            why = (f"beyond the tolerance of {number(item.allowed)}, not told from noise by "
                   f"{min(item.test.seeds)} seeds")
            if item.worse > 0:
                verdict, smallest = "unresolved", smallest_change(item.test, item.before, level)
                why += f" ({would_be(item.test, smallest, level)})"
        detail = f"{change}, {why}, {p_text(p)}{how(item.test)}"
        judged.append(replace(
            item.finding, verdict=verdict, detail=detail, p=p, smallest=smallest
        ))
    return judged


def _unknown(cells: Sequence[Cell], accepted: Baseline) -> list[CellVerdict]:
    """Cells that the baseline does not have: new, or failed before they could be."""
    known = {cell.key[:3] for cell in accepted.cells}
    rows, ended = {cell.key[:2] for cell in accepted.cells}, dict[tuple[str, str], set[int]]()
    for cell in cells:
        ended.setdefault(cell.key[:2], set()).update(cell.values, cell.skips, cell.lost)
    findings, silent = [], set[tuple[str, str]]()
    for cell in cells:
        row = cell.key[:2]
        if cell.key[:3] in known or row in silent:
            continue
        verdict, detail = "new", "not among the accepted numbers"
        if not cell.values and not cell.troubles.keys() & ended[row]:
            # what its runs lack is said of the metrics that are known to apply
            if cell.skips or cell.key[:3] in accepted.inapplicable:
                continue
            if row not in rows and not ended[row]:
                cell = replace(cell, metric=EVERY, better="none", unit="")
                silent.add(row)
        broken = [t for t in cell.troubles.values() if t.status != "not-finite"]
        if broken:
            verdict = "missing" if cell.not_run else "failed"
            detail = f"{trouble_text(cell)}; not in the baseline"
        elif not (cell.values or cell.lost) or not cell.directed:
            continue
        findings.append(CellVerdict(
            cell.method, cell.dataset, cell.metric, cell.protocol, cell.better, cell.unit, verdict,
            detail, values=tuple(cell.sample),
        ))
    return findings


def _change(worse: float, before: float) -> str:
    """`worse by 1.2 (4.1 %)`."""
    share = ""
    if before and math.isfinite(worse):
        share = f" ({number(100 * abs(worse / before), 2)} %)"
    word = "worse" if worse > 0 else "better"
    return f"{word} by {number(abs(worse))}{share}" if worse else "the same mean"
