"""The tidy table by cell: the values of one metric of one row on one dataset, over seeds."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from statistics import fmean
from typing import Any, NamedTuple

import pandas as pd

from genbench.errors import GenbenchError
from genbench.reporting._digits import mean_text
from genbench.suites.spec import REAL

__all__ = [
    "COLUMNS", "NOT_RUN", "OK", "REAL_TITLE", "RESULTS", "SKIPPED", "Cell", "Trouble",
    "cells_of", "dataset_names", "find", "is_reference", "limited_runs", "trouble_text",
]

REAL_TITLE = "real: train vs test"
"""How tables title the row of real data."""
COLUMNS = (
    "suite", "method", "dataset", "seed", "metric", "protocol", "value", "better", "unit",
    "status", "reason", "run",
)
"""The columns that every tidy table has at least."""
OK = "ok"
SKIPPED = "skipped"
"""A metric that has no meaning here: neither a value nor a trouble."""
RESULTS = ("diverged", "not-finite")
"""Troubles that are results of the method, not accidents of the run."""
NOT_RUN = ("missing", "queued", "running", "interrupted")
"""Troubles of runs that have yet to end."""


class Trouble(NamedTuple):
    """Why a run gave no value."""

    status: str
    reason: str


@dataclass
class Cell:
    """One metric of one method on one dataset under one protocol.

    `values` and `troubles` are by seed; a seed has one or the other. The protocol is '' where
    no run got as far as measuring.
    """

    method: str
    dataset: str
    metric: str
    protocol: str
    better: str = "none"
    unit: str = ""
    values: dict[int, float] = field(default_factory=dict)
    troubles: dict[int, Trouble] = field(default_factory=dict)
    skipped: str | None = None
    """The reason why the metric does not apply, where it does not."""
    skips: set[int] = field(default_factory=set)
    """The seeds of the runs to which it does not apply."""
    limited: bool = False
    """Whether --limit-updates cut the budget of one of the runs."""
    sampling_std: float = 0.0
    """The largest spread over sample sets of one model among the seeds; 0 where unknown."""

    @property
    def name(self) -> str:
        """`metric[row, dataset]`, as claims write it."""
        return f"{self.metric}[{self.method}, {self.dataset}]"

    @property
    def not_run(self) -> bool:
        """Whether the runs without a value have yet to end, and none failed."""
        return all(trouble.status in NOT_RUN for trouble in self.troubles.values())

    @property
    def ended(self) -> set[int]:
        """The seeds of the runs that trained to their end and whose metric did not fail."""
        infinite = {seed for seed, (status, _) in self.troubles.items() if status == "not-finite"}
        return {*self.values, *self.skips, *infinite}

    @property
    def sample(self) -> list[float]:
        """The values in the order of their seeds."""
        return [self.values[seed] for seed in sorted(self.values)]

    @property
    def text(self) -> str:
        """`metric[row, dataset] mean ± std (n=…)`."""
        return f"{self.name} {mean_text(self.sample)}"

    def transformed(self, magnitude: bool, logs: bool) -> Cell:
        """The cell with magnitudes, or logarithms, or those of these, in the place of its values.

        Raises:
            ValueError: a value that has no logarithm.
        """
        values, std = self.values, self.sampling_std
        if magnitude:
            values = {seed: abs(value) for seed, value in values.items()}
        if logs:
            if min(values.values()) <= 0:
                raise ValueError(f"{self.text}: a value that is not positive has no logarithm")
            std = std / fmean(values.values())
            values = {seed: math.log(value) for seed, value in values.items()}
        return replace(self, values=values, sampling_std=std)


def cells_of(frame: pd.DataFrame) -> list[Cell]:
    """Every cell of a tidy table, in the table's order.

    Runs that did not end carry no protocol: they belong to the cells of their row, whichever
    protocol the other seeds were measured under.

    Raises:
        GenbenchError: a column is missing.
    """
    lacking = [column for column in COLUMNS if column not in frame.columns]
    if lacking:
        raise GenbenchError(
            f"the table lacks the columns {', '.join(lacking)}; write it with 'genbench table'"
        )
    grouped: dict[tuple[Any, ...], list[int]] = {}
    keys = zip(*_columns(frame, ("method", "dataset", "metric", "protocol")), strict=True)
    for index, key in enumerate(keys):
        grouped.setdefault(key, []).append(index)
    columns = _columns(frame, _Rows._fields)
    cells: dict[tuple[str, str, str], dict[str, Cell]] = {}
    for found, at in grouped.items():
        method, dataset, metric, protocol = map(_text, found)
        protocols = cells.setdefault((method, dataset, metric), {})
        cell = protocols.setdefault(protocol, Cell(method, dataset, metric, protocol))
        _fill(cell, _Rows(*([column[index] for index in at] for column in columns)))
    return [cell for protocols in cells.values() for cell in _merged(protocols)]


def find(cells: Iterable[Cell], metric: str, method: str, dataset: str) -> list[Cell]:
    """The cells that `metric` names: several, if it was measured under several protocols.

    `metric@protocol` picks one of them.
    """
    here = [cell for cell in cells if cell.method == method and cell.dataset == dataset]
    named = [cell for cell in here if cell.metric == metric]
    return named or [cell for cell in here if f"{cell.metric}@{cell.protocol}" == metric]


def dataset_names(cells: Iterable[Cell]) -> list[str]:
    """The datasets, in the table's order."""
    return list(dict.fromkeys(cell.dataset for cell in cells))


def limited_runs(frame: pd.DataFrame) -> list[str]:
    """The runs whose budget --limit-updates cut: such numbers are not comparable."""
    if "limited" not in frame.columns:
        return []
    cut = frame["limited"].map(_truth)
    return sorted(set(frame.loc[cut.astype(bool), "run"].map(_text)))


def trouble_text(cell: Cell) -> str:
    """`2 of 5 runs diverged (critic became nan at update 31)`, one part for every status."""
    total = len(cell.values) + len(cell.troubles) + len(cell.skips)
    parts = []
    for status, count in sorted(Counter(t.status for t in cell.troubles.values()).items()):
        reasons = [t.reason for t in cell.troubles.values() if t.status == status and t.reason]
        first = f" ({reasons[0]})" if reasons else ""
        parts.append(f"{count} of {total} run{'s' if total > 1 else ''} {status}{first}")
    return ", ".join(parts)


class _Rows(NamedTuple):
    """What a cell takes from its rows of the table; the last two may be missing there."""

    seed: list[Any]
    value: list[Any]
    better: list[Any]
    unit: list[Any]
    status: list[Any]
    reason: list[Any]
    limited: list[Any]
    sampling_std: list[Any]


def _columns(frame: pd.DataFrame, names: Iterable[str]) -> list[list[Any]]:
    nothing = [None] * len(frame)
    return [frame[name].tolist() if name in frame.columns else nothing for name in names]


def _fill(cell: Cell, rows: _Rows) -> None:
    """Add the rows of a cell, each of another seed."""
    directions = [better for better in map(_text, rows.better) if better in ("lower", "higher")]
    cell.better = directions[-1] if directions else cell.better
    cell.unit = cell.unit or next(filter(None, map(_text, rows.unit)), "")
    cell.limited = cell.limited or any(map(_truth, rows.limited))
    spreads = (_number(spread) or 0.0 for spread in rows.sampling_std)
    cell.sampling_std = max(cell.sampling_std, *spreads)
    seeds, statuses = map(int, rows.seed), map(_text, rows.status)
    values = map(_number, rows.value)
    for seed, status, value, reason in zip(seeds, statuses, values, rows.reason, strict=True):
        if status == SKIPPED:
            cell.skipped = _text(reason)
            cell.skips.add(seed)
            continue
        if seed in cell.values or seed in cell.troubles:
            raise GenbenchError(
                f"the table has two rows for {cell.name}, seed {seed} under one protocol "
                f"('{cell.protocol}'); it cannot tell which to believe"
            )
        if status != OK:
            cell.troubles[seed] = Trouble(status, _text(reason))
        elif value is None or math.isinf(value):
            cell.troubles[seed] = Trouble("not-finite", _text(reason))
        else:
            cell.values[seed] = value


def _merged(protocols: dict[str, Cell]) -> list[Cell]:
    unmeasured = protocols.get("")
    known = [cell for name, cell in protocols.items() if name]
    if unmeasured is None or not known or unmeasured.values:
        return list(protocols.values())
    for cell in known:
        for seed, trouble in unmeasured.troubles.items():
            if seed not in cell.values:
                cell.troubles.setdefault(seed, trouble)
        cell.limited |= unmeasured.limited
        cell.skipped = cell.skipped if cell.skipped is not None else unmeasured.skipped
    return known


def _text(value: Any) -> str:
    if type(value) is str:  # nearly always
        return value
    return "" if value is None or value is pd.NA or value != value else str(value)


def _number(value: Any) -> float | None:
    """A float, or None for what is empty or NaN."""
    if type(value) is float:  # nearly always
        return value if value == value else None
    if value is None or value is pd.NA or value == "" or value != value:
        return None
    return float(value)


def _truth(value: Any) -> bool:
    if type(value) is bool:
        return value
    return _text(value).strip().lower() in ("true", "1", "1.0", "yes")


def is_reference(cell: Cell) -> bool:
    """Whether it is the row of the data themselves, which no seed trains."""
    return cell.method == REAL
