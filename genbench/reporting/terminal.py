"""What `genbench run` and `genbench eval` leave on the screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf, nan
from typing import Any

from rich import box
from rich.cells import cell_len
from rich.console import Group
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from genbench.judging.cells import (
    REAL_TITLE,
    SKIPPED,
    Cell,
    dataset_names,
    is_reference,
    trouble_text,
)
from genbench.judging.floors import floor_text, is_floor
from genbench.judging.ranking import LEGEND, WORSE, Place, places
from genbench.text.markdown import ARROWS
from genbench.text.numbers import mean_and_std, mean_text, spread_text

__all__ = ["measurement_table", "summary_tables"]

MAX_COLUMNS = 8
PADDING = 3
"""Characters between two columns."""

_Column = tuple[str, str]
"""Metric and protocol: numbers of two protocols never share a column."""


def summary_tables(
    cells: Sequence[Cell], *, metrics: Sequence[str] | None = None,
    max_columns: int = MAX_COLUMNS, width: int | None = None,
) -> list[Group]:
    """A table for each dataset: mean ± std over seeds, its ranking, and what went wrong below.

    `metrics` are the columns wanted (`metric` or `metric@protocol`), in order; without them, the
    first `max_columns` that have a better direction and a value, in the table's order. Of these,
    as many as fit into `width` characters are shown, none of them wrapped.
    """
    tables = []
    for dataset in dataset_names(cells):
        here = [cell for cell in cells if cell.dataset == dataset]
        seeds: dict[str, set[int]] = {}
        for cell in here:
            seeds.setdefault(cell.method, set()).update(cell.ended)
        tables.append(_table(dataset, here, _columns(here, metrics, max_columns), width, seeds))
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


def _table(
    dataset: str, cells: Sequence[Cell], columns: Sequence[_Column], width: int | None,
    ended: Mapping[str, set[int]],
) -> Group:
    methods = list(dict.fromkeys(cell.method for cell in cells if not is_reference(cell)))
    methods += list(dict.fromkeys(cell.method for cell in cells if is_reference(cell)))
    own = {method: [cell for cell in cells if cell.method == method] for method in methods}
    names = [
        Text(REAL_TITLE, style="italic") if is_reference(own[method][0]) else Text(method)
        for method in methods
    ]
    seeds = [Text(str(len(ended[method]))) for method in methods]
    table = Table(title=Text(dataset), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("method", no_wrap=True)
    table.add_column("seeds", justify="right", no_wrap=True)
    room = inf if width is None else width - _wide(names, "method") - _wide(seeds, "seeds")
    body = [names, seeds]
    for column in columns:
        where = _places(cells, column)
        texts = [_text(own[m], column, where.get(m, Place.NONE)) for m in methods]
        better = next((cell.better for cell in cells if cell.metric == column[0]), "none")
        heading = _heading(column, columns) + ARROWS.get(better, "")
        room -= _wide(texts, heading)
        if room < 0 and len(body) > 2:
            break
        table.add_column(Text(heading), justify="right", no_wrap=True)
        body.append(texts)
    for row in zip(*body, strict=True):
        table.add_row(*row)
    # Not the table's caption: that would be wrapped to the width of the table.
    ranked = any(
        place is not Place.NONE for column in columns for place in _places(cells, column).values()
    )
    shown = columns[: len(body) - 2]
    remarks = [LEGEND] * ranked + _floors(cells, shown)
    remarks += _remarks(cells, len(columns) - len(shown))
    remarks += _without_a_number(cells)
    return Group(table, *(Text(note) for note in remarks))


def _wide(texts: Sequence[Text], heading: str) -> int:
    return max(cell_len(text) for text in (heading, *(t.plain for t in texts))) + PADDING


def _heading(column: _Column, columns: Sequence[_Column]) -> str:
    metric, protocol = column
    alone = [name for name, _ in columns].count(metric) == 1
    return metric if alone else f"{metric}@{protocol}"


def _floors(cells: Sequence[Cell], columns: Sequence[_Column]) -> list[str]:
    """One line on what two true sets are apart, in the columns that have a floor."""
    texts = {_heading(column, columns): floor_text(cells, *column) for column in columns}
    told = "; ".join(f"{name} {text}" for name, text in texts.items() if text)
    return [f"floor (two true sets): {told}"] if told else []


def _remarks(cells: Sequence[Cell], left_out: int) -> list[str]:
    remarks = _notes(cells)
    if any(cell.limited for cell in cells):
        remarks.append("--limit-updates cut the budget: not comparable with full runs")
    if left_out:
        columns = "column is" if left_out == 1 else "columns are"
        remarks.append(f"{left_out} more {columns} in the report")
    return remarks


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


def _text(own: Sequence[Cell], column: _Column, place: Place) -> Text:
    cell = next((c for c in own if (c.metric, c.protocol) == column), None)
    if cell is None:
        # What did not end was measured under no protocol, but belongs to this column.
        cell = next((c for c in own if c.metric == column[0] and not c.values), None)
    if cell is None or not (cell.values or cell.troubles):
        return Text("–", style="dim")
    if _not_run(cell):
        return Text("not run", style="dim")
    partial = bool(cell.values) and not cell.whole
    mark = "*" if partial else ""
    mark += f" {WORSE}" if place is Place.WORSE else ""
    if cell.lost or not cell.values:  # no mean of those that survive
        troubles = [cell.troubles[seed] for seed in cell.lost] or cell.troubles.values()
        status = sorted(trouble.status for trouble in troubles)[0]
        return Text(status.replace("-", " ") + mark, style="red")
    text = mean_text(cell.sample) if partial else spread_text(*mean_and_std(cell.sample))
    return Text(text + mark, style="bold" if place is Place.BEST else "")


def _places(cells: Sequence[Cell], column: _Column) -> dict[str, Place]:
    """Where the rows stand in a column, those that were measured under no protocol too."""
    return places([c for c in cells if c.metric == column[0] and c.protocol in ("", column[1])])


def _not_run(cell: Cell) -> bool:
    """Whether nothing was asked of it yet, as of rows that `--only` leaves out."""
    return not cell.values and all(t.status == "queued" for t in cell.troubles.values())


def _notes(cells: Sequence[Cell]) -> list[str]:
    """What went wrong, once for each method and story, with the metrics that it is a story of."""
    notes: dict[tuple[str, str], list[Cell]] = {}
    for cell in cells:
        if (cell.troubles or cell.values) and not cell.whole and not _not_run(cell):
            own = {t.status for t in cell.troubles.values()} <= _OF_METRICS
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


def measurement_table(measurements: Sequence[Mapping[str, Any]], notes: Sequence[str]) -> Group:
    """Every number with its spread over sample sets and its protocol, or why there is none.

    `measurements` are as metrics.json has them.
    """
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("metric")
    table.add_column("value", justify="right")
    table.add_column("unit")
    table.add_column("protocol", overflow="fold")
    for one in measurements:
        value, spread = one["value"], one["sampling_std"]
        text = "–" if value is None else spread_text(value, nan if spread is None else spread)
        why = one["protocol"] if one["status"] == "ok" else one["reason"]
        table.add_row(f"{one['metric']}{ARROWS.get(one['better'], '')}", text, one["unit"],
                      escape(why))
    return Group(table, *(Text(note, style="yellow") for note in notes))
