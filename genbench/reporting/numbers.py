"""Stored numbers as a report reads them: cells by row and column, columns, titles."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from genbench.judging.cells import OK, REAL_TITLE, SKIPPED, Cell, Trouble, cells_of
from genbench.judging.floors import floor_name, floor_text
from genbench.judging.looks import schedule_of
from genbench.judging.ranking import Held, Rank, held_against, ranks
from genbench.store.table import MetricRow
from genbench.suites.plan import Plan
from genbench.suites.spec import REAL, RunSpec
from genbench.text.markdown import ARROWS, code, escape

_COLUMN = re.compile(r"(?P<metric>[^@\[\]]+)(?:@(?P<protocol>[^\[\]]+))?(?:\[(?P<dataset>.+)\])?")


@dataclass(frozen=True)
class Column:
    """One metric on one dataset, under one protocol (None where there is but one)."""

    name: str
    """As the suite writes it, without a protocol that was added because there are several."""
    metric: str
    dataset: str
    protocol: str | None = None
    head: str = ""
    better: str = "none"


class Numbers:
    """The rows and cells of a plan, indexed once."""

    def __init__(
        self, plan: Plan, rows: Sequence[MetricRow],
        mixed: Mapping[tuple[str, str], str] | None = None,
        log_dets: Mapping[str, float] | None = None, cells: Sequence[Cell] | None = None,
    ) -> None:
        self.plan = plan
        self.schedule = schedule_of(plan)
        """When rows are compared."""
        self.mixed = mixed or {}
        """(MetricRow, dataset) → in what its seeds differ besides the seed."""
        self.log_dets = log_dets or {}
        """Run → what its scaling adds to a log density, nats."""
        self._cells: dict[tuple[str, str], list[Cell]] = {}
        for cell in cells_of(rows) if cells is None else cells:
            self._cells.setdefault((cell.dataset, cell.metric), []).append(cell)
        self.facts: dict[str, tuple[str, str, str]] = {}
        """Metric → title, unit, better."""
        self.runs: dict[tuple[str, str], dict[str, MetricRow]] = {}
        """(MetricRow, dataset) → run → one of its rows: updates, examples, seconds, device."""
        self.limited: set[tuple[str, str]] = set()
        self._metrics: dict[str, dict[str, None]] = {}
        self._methods: dict[str, dict[str, None]] = {}
        self.ema = {(spec.method, spec.dataset) for spec in plan.runs if spec.ema is not None}
        self.means = {(s.method, s.dataset) for s in plan.runs if _draws_means(plan, s)}
        """(MetricRow, dataset) whose samples are means of a decoder rather than draws."""
        self._seeds = Counter((spec.method, spec.dataset) for spec in plan.runs)
        for spec in plan.runs:
            self._methods.setdefault(spec.dataset, {})[spec.method] = None
        for row in rows:
            self._metrics.setdefault(row.dataset, {})[row.metric] = None
            self.runs.setdefault((row.method, row.dataset), {}).setdefault(row.run, row)
            if row.limited:
                self.limited.add((row.method, row.dataset))
        for row in sorted(rows, key=lambda row: row.status != OK):  # what was measured tells first
            self.facts.setdefault(row.metric, (row.title, row.unit, row.better))

    # --- rows ----------------------------------------------------------------------------------

    def methods(self, dataset: str, wanted: Iterable[str] = ()) -> list[str]:
        """The rows that run on a dataset, in the suite's order, `real` last."""
        there = self._methods.get(dataset, {})
        chosen = [name for name in (list(wanted) or there) if name in there and name != REAL]
        return [*chosen, *([REAL] if REAL in there else [])]

    def seeds(self, method: str, dataset: str) -> int:
        """How many seeds of a row are planned on a dataset."""
        return self._seeds[method, dataset]

    def label(self, method: str, among: Sequence[str] = ()) -> str:
        """A row's title as Markdown; its name beside it where others share the title."""
        title = self.title(method)
        if sum(self.title(other) == title for other in among) > 1:
            return f"{escape(title)} ({code(method)})"
        return escape(title)

    def title(self, method: str) -> str:
        """A row's title as plain text."""
        if method == REAL:
            return REAL_TITLE
        info = self.plan.methods.get(method)
        return (getattr(info, "title", "") or method) if info is not None else method

    # --- columns -------------------------------------------------------------------------------

    def metrics(self, dataset: str) -> list[str]:
        """The metrics asked for on a dataset, in the suite's order."""
        return list(self._metrics.get(dataset, {}))

    def cell(self, method: str, column: Column) -> Cell:
        """The cell of a row in a column; an empty one where it has none there."""
        row = self.row(method, column.dataset, column.metric)
        own = [cell for cell in row if column.protocol in (None, cell.protocol)]
        if own:
            return max(own, key=lambda cell: bool(cell.values))
        # what did not end was measured under no protocol, and belongs to every column
        ended = (SKIPPED, "not-finite", "failed")
        troubles = {
            seed: trouble for cell in row for seed, trouble in cell.troubles.items()
            if trouble.status not in ended or not cell.protocol
        }
        unmeasured = next((cell for cell in row if not cell.protocol), None)
        return Cell(
            method, column.dataset, column.metric, column.protocol or "", troubles=troubles,
            skips={} if unmeasured is None else unmeasured.skips,
        )

    def absent(self, method: str, column: Column) -> dict[int, Trouble]:
        """Why each planned seed of a cell has no value, those of other protocols too."""
        cell = self.cell(method, column)
        found = cell.absent
        for other in self.row(method, column.dataset, column.metric):
            for seed in other.seeds - cell.seeds:
                under = Trouble(SKIPPED, f"measured under {other.protocol}")
                found[seed] = other.absent.get(seed, under)
        return found

    def measured(self, dataset: str, metric: str) -> list[Cell]:
        """What all rows have of a metric on a dataset."""
        return self._cells.get((dataset, metric), [])

    def row(self, method: str, dataset: str, metric: str) -> list[Cell]:
        """What a row has of a metric: a cell for each protocol."""
        return [cell for cell in self.measured(dataset, metric) if cell.method == method]

    def ranks(self, column: Column, methods: Sequence[str]) -> dict[str, Rank]:
        """Where each of these rows stands in a column, from the best."""
        return ranks(self._column(column, methods), self.schedule)

    def held(
        self, against: str, groups: Sequence[tuple[Column, Sequence[str], str]]
    ) -> Held:
        """Where rows stand from a named one, which is the last of a column and its rows."""
        return held_against(against, [
            (self._column(column, methods), name) for column, methods, name in groups
        ], self.schedule)

    def _column(self, column: Column, methods: Sequence[str]) -> list[Cell]:
        return [
            cell for cell in self.measured(column.dataset, column.metric)
            if cell.method in (*methods, REAL)
            and (column.protocol is None or cell.protocol in ("", column.protocol))
        ]

    def floor(self, column: Column) -> str:
        """What two true sets are apart in a column; empty where that is not known."""
        cells = self.measured(column.dataset, floor_name(column.metric))
        return floor_text(cells, column.metric, column.protocol)

    def columns(self, name: str, dataset: str, methods: Sequence[str]) -> list[Column]:
        """The columns that a name stands for: one, or one for each protocol where they differ."""
        match = _COLUMN.fullmatch(name)
        assert match is not None, f"the suite's loader lets no such column through: {name}"
        metric, where = match["metric"], match["dataset"] or dataset
        title, unit, better = self.facts.get(metric, ("", "", "none"))
        head = escape(title or metric)
        if unit and unit not in title:
            head += f", {escape(unit)}"
        if where != dataset:
            head += f" ({escape(where)})"
        protocols = {
            cell.protocol for cell in self.measured(where, metric)
            if cell.values and cell.method in methods
        }
        if match["protocol"]:
            protocols &= {match["protocol"]}
        arrow = ARROWS.get(better, "")
        if len(protocols) < 2 and not match["protocol"]:
            return [Column(name, metric, where, None, head + arrow, better)]
        return [
            Column(name, metric, where, protocol, f"{head} @ {escape(protocol)}{arrow}", better)
            for protocol in sorted(protocols) or [match["protocol"]]
        ]


def _draws_means(plan: Plan, spec: RunSpec) -> bool:
    """Whether `sample_mean` holds; null means: on images."""
    chosen = spec.model.options.get("sample_mean", False)
    return plan.datasets[spec.dataset].kind == "images" if chosen is None else bool(chosen)
