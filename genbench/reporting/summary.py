"""What a terminal and a notebook show of a suite's runs: a table for each dataset, and remarks.

A report's tables show their cells by the same rules (`shown`); they have published numbers and
footnotes besides.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from genbench.judging.cells import (
    REAL_TITLE,
    SKIPPED,
    Cell,
    dataset_names,
    is_reference,
    trouble_text,
)
from genbench.judging.floors import floor_text, is_floor
from genbench.judging.looks import ALL_SEEDS, schedule_of
from genbench.judging.ranking import Rank, best_legend, held_against, ranks
from genbench.suites.plan import Plan
from genbench.text.markdown import ARROWS
from genbench.text.numbers import mean_and_std, mean_text, spread_text

MAX_COLUMNS = 8


class Shown(NamedTuple):
    """What is to be seen of a cell."""

    number: str = ""
    """Mean ± standard deviation over seeds; empty where there is no mean."""
    status: str = ""
    """How its runs ended, where there is no mean; empty where nothing was asked of it."""
    lost: bool = False
    """Whether it is the worst there is: a run diverged, or is not finite."""
    seeds: int | None = None
    """How many seeds the mean is of, where some are missing."""
    rank: Rank = Rank.NONE
    partial: bool = False
    """Whether some seeds have a number, and others have none."""

    def __str__(self) -> str:
        text = self.number or self.status or "–"
        few = f" (n={self.seeds})" if self.seeds is not None else ""
        mark = "*" if self.partial else ""
        return f"{text}{few}{mark}{self.rank.mark}"


def shown(cell: Cell, rank: Rank) -> Shown:
    """What is to be seen of a cell that stands there in its column."""
    partial = bool(cell.values) and not cell.whole
    if cell.lost:  # no mean of those that survive
        statuses = {cell.troubles[seed].status for seed in cell.lost}
        return Shown("", _words(statuses), True, None, rank, partial)
    if cell.values:
        text = spread_text(*mean_and_std(cell.sample))
        return Shown(text, "", False, len(cell.values) if partial else None, rank, partial)
    if cell.troubles and _not_run(cell):
        return Shown(status="not run", rank=rank)
    return Shown(status=_words({t.status for t in cell.troubles.values()}), rank=rank)


def _words(statuses: set[str]) -> str:
    return " or ".join(sorted(statuses)).replace("-", " ")


class SummaryColumn(NamedTuple):
    """A metric under a protocol: numbers of two protocols never share a column."""

    metric: str
    protocol: str
    heading: str
    """The metric, its protocol where there are several, and the better direction."""


@dataclass(frozen=True)
class Line:
    """A row of the table."""

    method: str
    title: str
    real: bool
    """Whether it is the row of the data themselves."""
    seeds: int
    """How many runs trained to their end."""
    cells: list[Shown]


@dataclass(frozen=True)
class Summary:
    """The table of a dataset."""

    dataset: str
    columns: list[SummaryColumn]
    lines: list[Line]
    cells: Sequence[Cell]
    legend: str
    """What bold and marks say; empty where there are none."""

    def remarks(self, columns: int | None = None) -> list[str]:
        """What stands below the table, of which the first `columns` columns are shown."""
        seen = self.columns[:columns]
        told = [self.legend] * bool(self.legend) + _floors(self.cells, seen) + _notes(self.cells)
        if any(cell.limited for cell in self.cells):
            told.append("--limit-updates cut the budget: not comparable with full runs")
        left_out = len(self.columns) - len(seen)
        if left_out:
            are = "column is" if left_out == 1 else "columns are"
            told.append(f"{left_out} more {are} in the report")
        return told + _without_a_number(self.cells)


def summaries(
    cells: Sequence[Cell], *, metrics: Sequence[str] | None = None,
    max_columns: int = MAX_COLUMNS, plan: Plan | None = None,
) -> list[Summary]:
    """A table for each dataset: mean ± std over seeds, its ranking, and what went wrong.

    `metrics` are the columns wanted (`metric` or `metric@protocol`), in order; without them, the
    first `max_columns` that have a better direction and a value, in the table's order. `plan` says
    when rows are compared, and with which: where all tables of a dataset name one row, with that.
    """
    made = []
    for dataset in dataset_names(cells):
        here = [cell for cell in cells if cell.dataset == dataset]
        columns = _columns(here, metrics, max_columns)
        where, legend = _ranked(here, columns, dataset, plan)
        made.append(Summary(dataset, columns, _lines(here, columns, where), here, legend))
    return made


def _ranked(
    cells: Sequence[Cell], columns: Sequence[SummaryColumn], dataset: str, plan: Plan | None
) -> tuple[Sequence[Mapping[str, Rank]], str]:
    """Where the rows stand in each column, and what that says."""
    by_column = [_column(cells, column) for column in columns]
    schedule = ALL_SEEDS if plan is None else schedule_of(plan)
    against = None if plan is None else _named_row(plan, dataset)
    if against is not None:
        held = held_against(against, [(column, against) for column in by_column], schedule)
        return held.ranks, held.legend(against)
    found = [ranks(column, schedule) for column in by_column]
    some = any(rank is not Rank.NONE for column in found for rank in column.values())
    return found, best_legend(schedule) if some else ""


def _named_row(plan: Plan, dataset: str) -> str | None:
    """The row that all tables of a dataset hold the others against, where they name one."""
    tables = plan.suite.report.tables
    named = {table.against for table in tables if table.dataset in (None, dataset)}
    return named.pop() if len(named) == 1 else None


def _columns(
    cells: Sequence[Cell], metrics: Sequence[str] | None, most: int
) -> list[SummaryColumn]:
    measured = list(dict.fromkeys(
        (cell.metric, cell.protocol) for cell in cells
        if cell.values and (metrics is not None or cell.better != "none")
    ))
    if metrics is None:
        chosen = measured[:most]
    else:
        chosen = [
            column for name in metrics for column in measured
            if name in (column[0], "@".join(column))
        ]
    better = {cell.metric: cell.better for cell in reversed(cells)}
    named = [metric for metric, _ in chosen]
    headings = [
        metric if named.count(metric) == 1 else f"{metric}@{protocol}"
        for metric, protocol in chosen
    ]
    return [
        SummaryColumn(metric, protocol, heading + ARROWS.get(better[metric], ""))
        for (metric, protocol), heading in zip(chosen, headings, strict=True)
    ]


def _lines(
    cells: Sequence[Cell], columns: Sequence[SummaryColumn],
    where: Sequence[Mapping[str, Rank]],
) -> list[Line]:
    """The rows, that of real data last."""
    own: dict[str, list[Cell]] = {}
    for cell in sorted(cells, key=is_reference):
        own.setdefault(cell.method, []).append(cell)
    return [
        Line(
            method, REAL_TITLE if is_reference(mine[0]) else method, is_reference(mine[0]),
            len(set[int]().union(*(cell.ended for cell in mine))),
            [_shown(mine, column, rank.get(method, Rank.NONE))
             for column, rank in zip(columns, where, strict=True)],
        )
        for method, mine in own.items()
    ]


def _shown(own: Sequence[Cell], column: SummaryColumn, rank: Rank) -> Shown:
    cell = next((c for c in own if (c.metric, c.protocol) == column[:2]), None)
    if cell is None:
        # What did not end was measured under no protocol, but belongs to this column.
        cell = next((c for c in own if c.metric == column.metric and not c.values), None)
    return Shown() if cell is None else shown(cell, rank)


def _column(cells: Sequence[Cell], column: SummaryColumn) -> list[Cell]:
    """The cells of a column, those that were measured under no protocol too."""
    protocols = ("", column.protocol)
    return [c for c in cells if c.metric == column.metric and c.protocol in protocols]


def _floors(cells: Sequence[Cell], columns: Sequence[SummaryColumn]) -> list[str]:
    """One line on what two true sets are apart, in the columns that have a floor."""
    told = "; ".join(
        f"{column.heading.rstrip(' ↓↑→')} {text}" for column in columns
        if (text := floor_text(cells, column.metric, column.protocol))
    )
    return [f"floor (two true sets): {told}"] if told else []


def _without_a_number(cells: Sequence[Cell]) -> list[str]:
    """One line on the metrics that apply to no row here, and why, so that none just vanishes."""
    there = {cell.metric for cell in cells if cell.values or cell.troubles}
    whys: dict[str, dict[str, None]] = {}
    missing = {cell.metric for cell in cells if cell.skipped and cell.metric not in there}
    for cell in cells:
        if cell.metric in missing and cell.skipped and not is_floor(cell.metric, missing):
            whys.setdefault(cell.skipped, {})[cell.metric] = None
    told = "; ".join(f"{', '.join(metrics)} ({why})" for why, metrics in whys.items())
    return [f"no number for any row: {told}"] if told else []


def _not_run(cell: Cell) -> bool:
    """Whether nothing was asked of it yet, as of rows that `--only` leaves out."""
    return not cell.values and all(t.status == "queued" for t in cell.troubles.values())


def _notes(cells: Sequence[Cell]) -> list[str]:
    """What went wrong, once for each method and story, with the metrics that it is a story of."""
    notes: dict[tuple[str, str], list[Cell]] = {}
    trained: dict[str, set[int]] = {}
    for cell in cells:
        trained.setdefault(cell.method, set()).update(cell.ended)
    for cell in cells:
        if (cell.troubles or cell.values) and not cell.whole and not _not_run(cell):
            own = all(trouble.status in _OF_METRICS or seed in trained[cell.method]
                      for seed, trouble in cell.troubles.items())
            infinite = own and cell.lost and cell.values
            rest = f"; the others {mean_text(cell.sample)}" if infinite else ""
            story = f"{trouble_text(cell)}{rest}"
            mark = "* " if cell.values else ""
            notes.setdefault((f"{mark}{cell.method}", story), []).extend([cell] * own)
    return [
        f"{', '.join([method, *_named(about)])}: {story}"
        for (method, story), about in notes.items()
    ]


def _named(cells: Sequence[Cell]) -> list[str]:
    """The metrics of cells, with a protocol where there are several, and without their floors."""
    metrics = {cell.metric for cell in cells}
    return [
        f"{cell.metric}@{cell.protocol}" if cell.elsewhere else cell.metric
        for cell in cells if not is_floor(cell.metric, metrics)
    ]


_OF_METRICS = {"not-finite", SKIPPED}
"""Troubles of one metric, where those of a run are of all."""
