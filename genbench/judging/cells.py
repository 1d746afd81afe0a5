"""The tidy table by cell."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import chain
from statistics import fmean
from typing import Any, NamedTuple

import pandas as pd

from genbench.errors import GenbenchError
from genbench.judging.cell import (
    DIRECTIONS,
    NOT_RUN,
    OK,
    REAL_TITLE,
    RESULTS,
    SKIPPED,
    Cell,
    Trouble,
    is_reference,
    trouble_text,
)

__all__ = [
    "COLUMNS", "NOT_RUN", "OK", "REAL_TITLE", "RESULTS", "SKIPPED", "Cell", "Trouble",
    "cells_of", "dataset_names", "find", "is_reference", "limited_runs", "trouble_text",
]

COLUMNS = (
    "suite", "method", "dataset", "seed", "metric", "protocol", "value", "better", "unit",
    "status", "reason", "run",
)
"""The columns that every tidy table has at least."""


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
    merged = [cell for protocols in cells.values() for cell in _merged(protocols)]
    _aim(merged)
    return merged


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


class _Rows(NamedTuple):
    """What a cell takes from its rows of the table; from `limited` on they may be missing."""

    seed: list[Any]
    value: list[Any]
    better: list[Any]
    unit: list[Any]
    status: list[Any]
    reason: list[Any]
    limited: list[Any]
    sampling_std: list[Any]
    updates: list[Any]
    target: list[Any]
    tolerance: list[Any]


def _columns(frame: pd.DataFrame, names: Iterable[str]) -> list[list[Any]]:
    nothing = [None] * len(frame)
    return [frame[name].tolist() if name in frame.columns else nothing for name in names]


def _fill(cell: Cell, rows: _Rows) -> None:
    """Add the rows of a cell, each of another seed."""
    directions = [better for better in map(_text, rows.better) if better in DIRECTIONS]
    cell.better = directions[-1] if directions else cell.better
    cell.unit = cell.unit or next(filter(None, map(_text, rows.unit)), "")
    cell.limited = cell.limited or any(map(_truth, rows.limited))
    cell.aim = cell.aim or next(filter(None, map(_text, rows.target)), "")
    spreads = [_number(spread) for spread in rows.sampling_std]
    cell.sampling_std = max(cell.sampling_std, *(spread or 0.0 for spread in spreads))
    cell.fixed = not any(spread is not None for spread in spreads) and all(
        _number(updates) == 0 for updates in rows.updates
    )
    allowed = [_number(tolerance) for tolerance in rows.tolerance]
    cell.tolerance = next((each for each in allowed if each is not None), cell.tolerance)
    seeds, statuses = map(int, rows.seed), map(_text, rows.status)
    values = map(_number, rows.value)
    for seed, status, value, reason in zip(seeds, statuses, values, rows.reason, strict=True):
        if status == SKIPPED:
            cell.skipped = _text(reason)
            cell.skips.add(seed)
            continue
        if seed in cell.values or seed in cell.troubles or seed in cell.skips:
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


def _aim(cells: Sequence[Cell]) -> None:
    """Find the targets: the real row's values, or the numbers that the metrics declare.

    A metric that applies to some seeds of a row and not to others is no reason to judge it on
    those.
    """
    real = {
        (cell.dataset, cell.metric, cell.protocol): fmean(cell.values.values())
        for cell in cells if is_reference(cell) and cell.values
    }
    for cell in cells:
        if cell.better == "target":
            declared = _number(cell.aim.partition(" ")[0].replace("real", ""))
            cell.target = real.get((cell.dataset, cell.metric, cell.protocol), declared)
        if cell.skips and (cell.values or cell.lost):
            reason = cell.skipped or ""
            cell.troubles.update({seed: Trouble(SKIPPED, reason) for seed in cell.skips})
            cell.skips = set()


def _merged(protocols: dict[str, Cell]) -> list[Cell]:
    unmeasured = protocols.get("")
    known = [cell for name, cell in protocols.items() if name]
    for cell in known:
        if cell.values or cell.lost:
            others = chain.from_iterable(other.seeds for other in known if other is not cell)
            cell.elsewhere = set(others) - cell.seeds
    if unmeasured is None or not known or unmeasured.values:
        return list(protocols.values())
    for cell in known:
        for seed, trouble in unmeasured.troubles.items():
            if seed not in cell.values:
                cell.troubles.setdefault(seed, trouble)
        cell.limited |= unmeasured.limited
        cell.skipped = cell.skipped if cell.skipped is not None else unmeasured.skipped
        cell.skips |= unmeasured.skips - set(cell.values)
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
