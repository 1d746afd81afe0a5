"""What `genbench run` leaves on the screen: a table a dataset, methods down, metrics across."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from rich.console import Group
from rich.table import Table
from rich.text import Text

from genbench.reporting._cells import (
    Cell,
    cells_of,
    dataset_names,
    is_reference,
    trouble_text,
)
from genbench.reporting._digits import number
from genbench.reporting.statistics import mean_and_std

__all__ = ["REFERENCE_TITLE", "summary_tables"]

REFERENCE_TITLE = "real: train vs test"
MAX_COLUMNS = 8

_Column = tuple[str, str]
"""Metric and protocol: numbers of two protocols never share a column."""


def summary_tables(
    frame: pd.DataFrame, *, metrics: Sequence[str] | None = None, max_columns: int = MAX_COLUMNS
) -> list[Group]:
    """A table for each dataset: mean ± std over seeds, the best in bold, what went wrong below.

    `metrics` are the columns wanted (`metric` or `metric@protocol`), in order; without them, the
    first `max_columns` that have a better direction and a value, in the table's order.

    Raises:
        GenbenchError: the table lacks a column.
    """
    cells = cells_of(frame)
    tables = []
    for dataset in dataset_names(cells):
        here = [cell for cell in cells if cell.dataset == dataset]
        tables.append(_table(dataset, here, _columns(here, metrics, max_columns)))
    return tables


def _columns(
    cells: Sequence[Cell], metrics: Sequence[str] | None, most: int
) -> list[_Column]:
    measured = list(dict.fromkeys(
        (cell.metric, cell.protocol) for cell in cells
        if cell.values and (metrics is not None or cell.better != "none")
    ))
    if metrics is None:
        return measured[:most]
    return [
        column for name in metrics for column in measured
        if name in (column[0], f"{column[0]}@{column[1]}")
    ]


def _table(dataset: str, cells: Sequence[Cell], columns: Sequence[_Column]) -> Group:
    methods = list(dict.fromkeys(cell.method for cell in cells if not is_reference(cell)))
    methods += list(dict.fromkeys(cell.method for cell in cells if is_reference(cell)))
    notes = _notes(cells)
    if any(cell.limited for cell in cells):
        notes.append("--limit-updates cut the budget: not comparable with full runs")
    table = Table(title=Text(dataset), title_justify="left")
    table.add_column("method", overflow="fold")
    table.add_column("seeds", justify="right")
    metrics = [metric for metric, _ in columns]
    for metric, protocol in columns:
        name = metric if metrics.count(metric) == 1 else f"{metric}@{protocol}"
        better = next((cell.better for cell in cells if cell.metric == metric), "none")
        arrow = {"lower": " ↓", "higher": " ↑"}.get(better, "")
        table.add_column(Text(name + arrow), justify="right")
    best = {column: _best(cells, column) for column in columns}
    for method in methods:
        own = [cell for cell in cells if cell.method == method]
        label, style = (REFERENCE_TITLE, "italic") if is_reference(own[0]) else (method, "")
        texts = [_text(own, column, best[column]) for column in columns]
        seeds = max(len(cell.values) for cell in own)
        table.add_row(Text(label, style=style), Text(str(seeds)), *texts)
    # Not the table's caption: that would be wrapped to the width of the table.
    return Group(table, *(Text(note) for note in notes))


def _text(own: Sequence[Cell], column: _Column, best: float | None) -> Text:
    cell = next((c for c in own if (c.metric, c.protocol) == column), None)
    if cell is None:
        # What did not end was measured under no protocol, but belongs to this column.
        cell = next((c for c in own if c.metric == column[0] and not c.values), None)
    if cell is None or not (cell.values or cell.troubles):
        return Text("–", style="dim")
    if not cell.values:
        return Text(sorted(t.status for t in cell.troubles.values())[0], style="red")
    mean, std = mean_and_std(cell.sample)
    text = number(mean) if len(cell.values) == 1 else f"{number(mean)} ± {number(std, 2)}"
    bold = not is_reference(cell) and mean == best
    mark = "*" if cell.troubles else ""
    return Text(text + mark, style="bold" if bold else "")


def _best(cells: Sequence[Cell], column: _Column) -> float | None:
    """The best mean among methods whose every seed has a value."""
    rivals = [
        cell for cell in cells
        if (cell.metric, cell.protocol) == column and cell.values and not cell.troubles
        and not is_reference(cell)
    ]
    if not rivals or rivals[0].better == "none":
        return None
    means = [mean_and_std(cell.sample)[0] for cell in rivals]
    return min(means) if rivals[0].better == "lower" else max(means)


def _notes(cells: Sequence[Cell]) -> list[str]:
    """What went wrong, once for each method and story."""
    notes = []
    for cell in cells:
        if cell.troubles:
            mark = "* " if cell.values else ""
            diverged = all(t.status == "not-finite" for t in cell.troubles.values())
            what = f"{cell.method}, {cell.metric}" if diverged else cell.method
            notes.append(f"{mark}{what}: {trouble_text(cell)}")
    return list(dict.fromkeys(notes))
