"""The text of a table's cells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from genbench.judging.cells import SKIPPED, Trouble
from genbench.judging.ranking import WORSE, Place
from genbench.reporting.numbers import Column, Numbers
from genbench.text.markdown import Footnotes, plus_minus, seed_list
from genbench.text.numbers import mean_and_std, mean_text, number

__all__ = ["cell_text", "published_cells"]


def cell_text(
    numbers: Numbers, method: str, column: Column, place: Place, notes: Footnotes
) -> str:
    """Mean ± std, bold or marked by its place; what is lost, or why there is nothing."""
    cell, absent = numbers.cell(method, column), numbers.absent(method, column)
    values = cell.sample
    why = _why_not(absent, len(values), column) if absent or not values else ""
    lost = sorted({cell.troubles[seed].status for seed in cell.lost})
    if lost and values:  # no mean of those that survive
        why += f"; the other {'seed' if len(values) == 1 else 'seeds'} {mean_text(values)}"
    mark = notes.mark(why) if why else ""
    if lost:
        text = " or ".join(lost).replace("-", " ")
    elif not values:
        return f"–{mark}"
    else:
        text = plus_minus(values)
        if absent:
            text += f" (n = {len(values)})"
    if place is Place.BEST:
        text = f"**{text}**"
    return text + (f" {WORSE}" if place is Place.WORSE else "") + mark


def _why_not(absent: Mapping[int, Trouble], values: int, column: Column) -> str:
    """Why a cell is empty, or rests on fewer seeds than planned."""
    if not absent:
        return f"does not run on {column.dataset}, or {column.metric} is not asked for there"
    by_reason: dict[str, list[int]] = {}
    for seed, (state, reason) in absent.items():
        status = state.replace("-", " ")
        words = f"{status}: {reason}" if reason else status
        if state in (SKIPPED, "queued"):
            words = reason or "not applicable"
        by_reason.setdefault(words, []).append(seed)
    if len(by_reason) == 1 and not values:
        return next(iter(by_reason))
    return "; ".join(
        f"{seed_list(seeds)}: {reason}"
        for reason, seeds in sorted(by_reason.items(), key=lambda pair: min(pair[1]))
    )


def published_cells(
    numbers: Numbers, method: str, column: Column,
    published: Mapping[str, Mapping[str, Any]], notes: Footnotes,
) -> list[str]:
    known = published.get(method, {}).get(column.name)
    if known is None:
        return ["", ""]
    value, source = float(getattr(known, "value", known)), getattr(known, "source", "")
    mark = notes.mark(f"published: {source}") if source else ""
    cell = numbers.cell(method, column)
    ours = [] if cell.lost else cell.sample
    difference = f"{mean_and_std(ours)[0] - value:+.4g}" if ours else "–"
    return [f"{number(value)}{mark}", difference]
