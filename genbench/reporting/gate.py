"""The regression gate: new numbers held against an accepted baseline.

Every cell (method, dataset, metric, protocol) gets one verdict:

ok                within its tolerance, or worse by no more than the seeds' noise explains
improved          better by more than its tolerance, and significantly
regressed         worse by more than its tolerance, and significantly
inconclusive      worse by more than its tolerance, with fewer than three seeds on one side
changed-protocol  measured, but otherwise than the baseline was: not compared
missing           in the baseline, and not measured now
failed            a run failed, or diverged where the baseline's did not, or gave no finite value
new               measured now, and not in the baseline

*Worse* follows the metric's direction; metrics with none are not gated (their runs must still
not fail). *Significant* is a one-sided Welch test on seeds at 5 %, after Holm's correction over
the cells compared: a suite of unchanged methods raises a false alarm one time in twenty at most.
Cells whose values are the same bits as the baseline's are not part of that family: nothing that a
seed decides put them there, and counting them would only hide a regression elsewhere.

With fewer than three seeds there is no estimate of noise. Within the tolerance is ok; beyond it a
regression cannot be told from noise, and a gate that then said "fine" would guard nothing. Such a
cell is `inconclusive`, named loudly, and fails the check (exit 1) like a regression, unless
`allow_inconclusive` is set. The remedies: three seeds or more, or a tolerance for this metric in
the baseline that covers its noise. The reference row `real`, which no seed trains, is tolerated
three sampling spreads of a difference besides.

Exit codes: 1 if a cell regressed (or is inconclusive); else 3 if one failed, is missing or changed
its protocol, or if nothing at all was compared; else 0. GenbenchError is the caller's exit 2.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from genbench.errors import GenbenchError
from genbench.reporting._baseline import (
    DEFAULT_TOLERANCE,
    Baseline,
    BaselineCell,
    Tolerance,
    accept,
    read_baseline,
    refuse_limited,
    suite_of,
)
from genbench.reporting._cells import (
    Cell,
    cells_of,
    is_reference,
    trouble_text,
)
from genbench.reporting._digits import number, p_text
from genbench.reporting.statistics import (
    ALPHA,
    MIN_SEEDS,
    holm,
    mean_and_std,
    welch,
)

__all__ = [
    "DEFAULT_TOLERANCE", "VERDICTS", "Baseline", "BaselineCell", "Finding", "Outcome", "Tolerance",
    "accept", "check", "read_baseline",
]

VERDICTS = (
    "regressed", "inconclusive", "failed", "missing", "changed-protocol", "improved", "new", "ok",
)
"""Worst first."""
_UNMEASURED = ("failed", "missing", "changed-protocol")


@dataclass(frozen=True)
class Finding:
    """The verdict on one cell."""

    method: str
    dataset: str
    metric: str
    protocol: str
    better: str
    unit: str
    verdict: str
    detail: str
    baseline: tuple[float, ...] = ()
    """The baseline's values, in the order of their seeds."""
    values: tuple[float, ...] = ()
    p: float | None = None
    """One-sided in the direction of the change, after Holm's correction; None if not tested."""
    compared: bool = False
    """Whether numbers were held against numbers."""

    @property
    def name(self) -> str:
        """`metric[row, dataset]`."""
        return f"{self.metric}[{self.method}, {self.dataset}]"


@dataclass(frozen=True)
class Outcome:
    """The verdicts on a suite, worst first."""

    suite: str
    findings: tuple[Finding, ...]
    allow_inconclusive: bool = False

    @property
    def counts(self) -> dict[str, int]:
        """How many cells got each verdict, worst first, zeros left out."""
        counter = Counter(finding.verdict for finding in self.findings)
        return {verdict: counter[verdict] for verdict in VERDICTS if counter[verdict]}

    @property
    def exit_code(self) -> int:
        """0 fine, 1 regressed, 3 runs failed or nothing measured."""
        counts = self.counts
        if "regressed" in counts or ("inconclusive" in counts and not self.allow_inconclusive):
            return 1
        compared = any(finding.compared for finding in self.findings)
        return 3 if not compared or any(verdict in counts for verdict in _UNMEASURED) else 0

    @property
    def summary(self) -> str:
        """One line: `ci: 12 ok, 1 regressed; exit code 1`."""
        parts = [f"{count} {verdict}" for verdict, count in self.counts.items()]
        if not any(finding.compared for finding in self.findings):
            parts.append("nothing compared")
        return f"{self.suite}: {', '.join(parts)}; exit code {self.exit_code}"


@dataclass(frozen=True)
class _Compared:
    """A finding that waits for Holm's correction."""

    finding: Finding
    worse: float
    """How much worse the mean is, in the metric's unit; negative if better."""
    allowed: float
    p_worse: float
    p_better: float


def check(
    frame: pd.DataFrame, baseline: Baseline | Path, *, allow_inconclusive: bool = False
) -> Outcome:
    """Hold a suite's tidy table against its baseline.

    Raises:
        GenbenchError: the baseline is missing, damaged or of another suite, --limit-updates cut a
            budget, or the table lacks a column.
    """
    accepted = read_baseline(baseline) if isinstance(baseline, Path) else baseline
    cells = cells_of(frame)
    if suite_of(frame) != accepted.suite:
        raise GenbenchError(
            f"the baseline is of the suite '{accepted.suite}', not of '{suite_of(frame)}'"
        )
    refuse_limited(frame)
    by_row: dict[tuple[str, str, str], list[Cell]] = {}
    for cell in cells:
        by_row.setdefault((cell.method, cell.dataset, cell.metric), []).append(cell)
    settled: list[Finding] = []
    waiting: list[_Compared] = []
    for old in accepted.cells:
        result = _against(old, by_row.get(old.key[:3], []), accepted.tolerance(old))
        if isinstance(result, _Compared):
            waiting.append(result)
        elif result is not None:
            settled.append(result)
    settled += _judged(waiting)
    settled += _unknown(cells, accepted)
    settled.sort(
        key=lambda f: (VERDICTS.index(f.verdict), f.dataset, f.method, f.metric, f.protocol)
    )
    return Outcome(accepted.suite, tuple(settled), allow_inconclusive)


def _against(
    old: BaselineCell, now: Sequence[Cell], tolerance: Tolerance
) -> Finding | _Compared | None:
    """One cell of the baseline against what the table has of it; None if it is not gated."""
    blank = Finding(
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
    if old.better == "none":
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
    return _compare(replace(found, compared=True), old, new, tolerance)


def _expected(old: BaselineCell, new: Cell) -> bool:
    """Whether every trouble of the table is one that the baseline was accepted with."""
    return all(old.absent.get(seed) == trouble.status for seed, trouble in new.troubles.items())


def _compare(
    found: Finding, old: BaselineCell, new: Cell, tolerance: Tolerance
) -> Finding | _Compared:
    if old.values == new.values:
        return replace(found, detail="the same values")
    before, after = mean_and_std(old.sample)[0], mean_and_std(new.sample)[0]
    worse = (after - before) * (1 if old.better == "lower" else -1)
    allowed = tolerance.allowed(before)
    if min(len(old.values), len(new.values)) >= MIN_SEEDS:
        test = welch(new.sample, old.sample)
        up, down = test.p_greater, test.p_less
        p_worse, p_better = (up, down) if old.better == "lower" else (down, up)
        return _Compared(found, worse, allowed, p_worse, p_better)
    if is_reference(new):
        allowed = max(allowed, 3 * math.sqrt(2) * new.sampling_std)
    change = _change(worse, before)
    if abs(worse) <= allowed:
        return replace(found, detail=f"{change}, within the tolerance of {number(allowed)}")
    if worse < 0:
        return replace(found, detail=f"{change}; too few seeds to call it an improvement")
    return replace(
        found, verdict="inconclusive",
        detail=f"{change}, beyond the tolerance of {number(allowed)}, with fewer than {MIN_SEEDS} "
        f"seeds: run more, or give {old.metric} a tolerance in the baseline",
    )


def _judged(waiting: Sequence[_Compared]) -> list[Finding]:
    """Both directions are families of their own, each at 5 %."""
    worse = holm([item.p_worse for item in waiting])
    better = holm([item.p_better for item in waiting])
    judged = []
    for item, p_worse, p_better in zip(waiting, worse, better, strict=True):
        p = p_worse if item.worse > 0 else p_better
        before = mean_and_std(item.finding.baseline)[0]
        change, verdict = _change(item.worse, before), "ok"
        if abs(item.worse) <= item.allowed:
            why = f"within the tolerance of {number(item.allowed)}"
        elif p > ALPHA:
            why = f"beyond the tolerance of {number(item.allowed)}, within the noise of the seeds"
        else:
            verdict = "regressed" if item.worse > 0 else "improved"
            why = f"beyond the tolerance of {number(item.allowed)}"
        detail = f"{change}, {why}, {p_text(p)}"
        judged.append(replace(item.finding, verdict=verdict, detail=detail, p=p))
    return judged


def _unknown(cells: Sequence[Cell], accepted: Baseline) -> list[Finding]:
    """Cells that the baseline does not have: new, or failed before they could be."""
    known = {cell.key[:3] for cell in accepted.cells}
    findings = []
    for cell in cells:
        if (cell.method, cell.dataset, cell.metric) in known:
            continue
        verdict, detail = "new", "not in the baseline; --update accepts it"
        broken = [t for t in cell.troubles.values() if t.status != "not-finite"]
        if broken:
            verdict = "missing" if cell.not_run else "failed"
            detail = f"{trouble_text(cell)}; not in the baseline"
        elif not cell.values or cell.better == "none":
            continue
        findings.append(Finding(
            cell.method, cell.dataset, cell.metric, cell.protocol, cell.better, cell.unit, verdict,
            detail, values=tuple(cell.sample),
        ))
    return findings


def _change(worse: float, before: float) -> str:
    """`worse by 1.2 (4.1 %)`."""
    share = f" ({number(100 * abs(worse / before), 2)} %)" if before else ""
    word = "worse" if worse > 0 else "better"
    return f"{word} by {number(abs(worse))}{share}" if worse else "the same mean"
