"""Numbers to reach, held against the cells of a report."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from genbench.judging.cells import Trouble
from genbench.reporting.figures.draw import Figure
from genbench.reporting.numbers import Numbers
from genbench.reporting.results import Results
from genbench.suites.expectation import parse_cell
from genbench.suites.schema import Target
from genbench.text.markdown import code, escape, table
from genbench.text.numbers import number

PLACE = 30


@dataclass(frozen=True)
class Reached:
    """A target and what came of it."""

    target: Target
    row: str
    dataset: str
    metric: str
    value: float | None
    """The statistic over the seeds, None without any, and where one diverged or is infinite."""
    range: str
    """The smallest and largest value, and how many seeds they are of."""
    missing: str
    """Why seeds are missing, or empty."""

    @property
    def yes(self) -> bool:
        """Whether it is reached: by every planned seed's number, none missing."""
        if self.value is None or self.missing:
            return False
        if self.target.at_most is not None:
            return self.value <= self.target.at_most
        return self.target.at_least is not None and self.value >= self.target.at_least

    @property
    def bound(self) -> str:
        """The target as text."""
        if self.target.at_most is not None:
            return f"≤ {number(self.target.at_most)}"
        return f"≥ {number(self.target.at_least or 0.0)}"


def reached(numbers: Numbers) -> list[Reached]:
    """Every target of the suite, in order."""
    return [_held(numbers, target) for target in numbers.plan.suite.report.targets]


def _held(numbers: Numbers, target: Target) -> Reached:
    metric, row, where = parse_cell(target.cell)
    name, _, protocol = metric.partition("@")
    dataset = where or next(iter(numbers.plan.datasets))
    cells = [
        cell for cell in numbers.row(row, dataset, name)
        if not protocol or cell.protocol in ("", protocol)
    ]
    values = [value for cell in cells for value in cell.sample]
    span = ""
    if values:
        span = f"{number(min(values))} to {number(max(values))}, n = {len(values)}"
    planned = numbers.seeds(row, dataset)
    lost = any(cell.lost for cell in cells)
    absent = [trouble for cell in cells for trouble in cell.absent.values()]
    return Reached(
        target, row, dataset, name, None if lost else _statistic(target, values), span,
        _missing(absent, planned, len(values)),
    )


def _statistic(target: Target, values: Sequence[float]) -> float | None:
    if not values:
        return None
    if target.over == "worst":
        return max(values) if target.at_most is not None else min(values)
    return statistics.median(values) if target.over == "median" else statistics.fmean(values)


def _missing(absent: Sequence[Trouble], planned: int, found: int) -> str:
    if found >= planned:
        return ""
    reasons = sorted({f"{status}: {reason}" if reason else status for status, reason in absent})
    return f"{planned - found} of {planned} seeds missing ({'; '.join(reasons) or 'not run'})"


def section(results: Results, figures: Sequence[Figure]) -> list[str]:
    """A table of them, or nothing for a suite without targets."""
    numbers = results.numbers
    found = reached(numbers)
    if not found:
        return []
    rows = []
    for one in found:
        title = numbers.facts.get(one.metric, (one.metric, "", ""))[0] or one.metric
        where = f", {escape(one.dataset)}" if len(numbers.plan.datasets) > 1 else ""
        ours = "–" if one.value is None else f"{number(one.value)} ({one.target.over})"
        verdict = "**yes**" if one.yes else "no"
        rows.append([
            f"{code(one.row)}{where}", escape(title), one.bound, ours, one.range or "–", verdict,
            escape("; ".join(part for part in (one.missing, one.target.note) if part)),
        ])
    head = ["row", "number", "target", "ours", "over seeds", "reached", "note"]
    count = sum(one.yes for one in found)
    return [
        "## Targets", f"{count} of {len(found)} reached.", table(head, rows, left=7)
    ]
