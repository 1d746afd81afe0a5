"""The text of a table's cells."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from genbench.judging.cell import RESULTS
from genbench.judging.ranking import WORSE, Place
from genbench.reporting.numbers import Column, Entry, Numbers
from genbench.text.markdown import Footnotes, plus_minus, seed_list
from genbench.text.numbers import mean_and_std, mean_text, number

__all__ = ["NOT_APPLICABLE", "cell_text", "published_cells", "values_of"]

NOT_APPLICABLE = "skipped"


def cell_text(
    numbers: Numbers, method: str, column: Column, place: Place, notes: Footnotes
) -> str:
    """Mean ± std, bold or marked by its place; what is lost, or why there is nothing."""
    entries = numbers.entries(method, column)
    values = values_of(entries)
    planned = entries + numbers.elsewhere(method, column)
    why = _why_not(planned, column) if len(values) < max(len(planned), 1) else ""
    lost = sorted({entry.status for entry in entries if entry.status in RESULTS})
    if lost and values:  # no mean of those that survive
        why += f"; the other {'seed' if len(values) == 1 else 'seeds'} {mean_text(values)}"
    mark = notes.mark(why) if why else ""
    if lost:
        text = " or ".join(lost).replace("-", " ")
    elif not values:
        return f"–{mark}"
    else:
        text = plus_minus(values)
        if len(values) < len(planned):
            text += f" (n = {len(values)})"
    if place is Place.BEST:
        text = f"**{text}**"
    return text + (f" {WORSE}" if place is Place.WORSE else "") + mark


def values_of(entries: Sequence[Entry]) -> list[float]:
    """The values of the seeds that have one."""
    return [e.value for e in entries if e.status == "ok" and not math.isnan(e.value)]


def _why_not(entries: Sequence[Entry], column: Column) -> str:
    """Why a cell is empty, or rests on fewer seeds than planned."""
    if not entries:
        return f"does not run on {column.dataset}, or {column.metric} is not asked for there"
    by_reason: dict[str, list[int]] = {}
    for entry in entries:
        if entry.status != "ok":
            status = entry.status.replace("-", " ")
            words = f"{status}: {entry.reason}" if entry.reason else status
            if entry.status in (NOT_APPLICABLE, "queued"):
                words = entry.reason or "not applicable"
            by_reason.setdefault(words, []).append(entry.seed)
    if len(by_reason) == 1 and len(next(iter(by_reason.values()))) == len(entries):
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
    entries = numbers.entries(method, column)
    ours = [] if any(e.status in RESULTS for e in entries) else values_of(entries)
    difference = f"{mean_and_std(ours)[0] - value:+.4g}" if ours else "–"
    return [f"{number(value)}{mark}", difference]
