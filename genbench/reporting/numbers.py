"""The tidy frame as a report reads it: cells by (row, dataset, metric), columns, titles."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import pandas as pd

from genbench.judging.cells import OK, REAL_TITLE, SKIPPED, Cell, cells_of
from genbench.judging.floors import floor_name, floor_text
from genbench.judging.ranking import Place, places
from genbench.suites.plan import Plan
from genbench.suites.spec import REAL, RunSpec
from genbench.text.markdown import ARROWS, code, escape

__all__ = ["Column", "Entry", "Numbers"]

_COLUMN = re.compile(r"(?P<metric>[^@\[\]]+)(?:@(?P<protocol>[^\[\]]+))?(?:\[(?P<dataset>.+)\])?")


class Entry(NamedTuple):
    """One row of the tidy frame, as far as tables need it."""

    seed: int
    protocol: str
    value: float
    status: str
    reason: str
    sampling_std: float


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
    """What the frame holds, indexed once."""

    def __init__(
        self, plan: Plan, frame: pd.DataFrame, mixed: Mapping[tuple[str, str], str] | None = None,
        log_dets: Mapping[str, float] | None = None, cells: Sequence[Cell] | None = None,
    ) -> None:
        self.plan = plan
        self.mixed = mixed or {}
        """(Row, dataset) → in what its seeds differ besides the seed."""
        self.log_dets = log_dets or {}
        """Run → what its scaling adds to a log density, nats."""
        self._columns: dict[tuple[str, str], list[Cell]] = {}
        for cell in cells_of(frame) if cells is None else cells:
            self._columns.setdefault((cell.dataset, cell.metric), []).append(cell)
        self.cells: dict[tuple[str, str, str], list[Entry]] = {}
        self.facts: dict[str, tuple[str, str, str]] = {}
        """Metric → title, unit, better."""
        self.budgets: dict[tuple[str, str], dict[str, tuple[Any, ...]]] = {}
        """(Row, dataset) → run → updates, examples, seconds, device."""
        self.limited: set[tuple[str, str]] = set()
        self._metrics: dict[str, dict[str, None]] = {}
        self._methods: dict[str, dict[str, None]] = {}
        self.ema = {(spec.method, spec.dataset) for spec in plan.runs if spec.ema is not None}
        self.means = {(s.method, s.dataset) for s in plan.runs if _draws_means(plan, s)}
        """(Row, dataset) whose samples are means of a decoder rather than draws."""
        self._seeds = Counter((spec.method, spec.dataset) for spec in plan.runs)
        for spec in plan.runs:
            self._methods.setdefault(spec.dataset, {})[spec.method] = None
        keys = _rows(frame, "method", "dataset", "metric")
        entries = map(Entry._make, _rows(frame, *Entry._fields))
        for key, entry in zip(keys, entries, strict=True):
            self.cells.setdefault(key, []).append(entry)
        for dataset, metric in dict.fromkeys(_rows(frame, "dataset", "metric")):
            self._metrics.setdefault(dataset, {})[metric] = None
        names = ("method", "dataset", "run", "limited", "updates", "examples", "seconds", "device")
        runs = _rows(frame.drop_duplicates("run"), *names)
        for method, dataset, run, limited, *budget in runs:
            self.budgets.setdefault((method, dataset), {})[run] = tuple(budget)
            if limited:
                self.limited.add((method, dataset))
        unmeasured = (frame["status"] != "ok").to_numpy()
        telling = frame.iloc[unmeasured.argsort(kind="stable")].drop_duplicates("metric")
        for metric, *facts in _rows(telling, "metric", "title", "unit", "better"):
            self.facts[metric] = tuple(facts)

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

    def entries(self, method: str, column: Column) -> list[Entry]:
        """The entries of a cell; those without a protocol (no number) belong to every column."""
        found = self.cells.get((method, column.dataset, column.metric), [])
        return [e for e in found if column.protocol is None or e.protocol in ("", column.protocol)]

    def elsewhere(self, method: str, column: Column) -> list[Entry]:
        """The entries of the seeds that were measured under another protocol, which says which."""
        found = self.cells.get((method, column.dataset, column.metric), [])
        mine = {entry.seed for entry in self.entries(method, column)}
        return [
            e._replace(status=SKIPPED, reason=f"measured under {e.protocol}")
            if e.status == OK else e for e in found if e.seed not in mine
        ]

    def places(self, column: Column, methods: Sequence[str]) -> dict[str, Place]:
        """Where each of these rows stands in a column."""
        return places([
            cell for cell in self._columns.get((column.dataset, column.metric), [])
            if cell.method in (*methods, REAL)
            and (column.protocol is None or cell.protocol in ("", column.protocol))
        ])

    def floor(self, column: Column) -> str:
        """What two true sets are apart in a column; empty where that is not known."""
        cells = self._columns.get((column.dataset, floor_name(column.metric)), [])
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
            entry.protocol for method in methods
            for entry in self.cells.get((method, where, metric), []) if entry.status == "ok"
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


def _rows(frame: pd.DataFrame, *columns: str) -> Iterator[tuple[Any, ...]]:
    return zip(*(frame[name].tolist() for name in columns), strict=True)


def _draws_means(plan: Plan, spec: RunSpec) -> bool:
    """Whether `sample_mean` holds; null means: on images."""
    chosen = spec.model.options.get("sample_mean", False)
    return plan.datasets[spec.dataset].kind == "images" if chosen is None else bool(chosen)
