"""The text of a table's cells."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from genbench.reporting._digits import number
from genbench.reporting.markdown import Footnotes, plus_minus, seed_list
from genbench.reporting.numbers import Column, Entry, Numbers
from genbench.reporting.statistics import mean_and_std
from genbench.suites.spec import REAL

__all__ = ["NOT_APPLICABLE", "best_mean", "cell_text", "published_cells", "values_of"]

NOT_APPLICABLE = "skipped"


def cell_text(
    numbers: Numbers, method: str, column: Column, best: float | None, seeds: int,
    notes: Footnotes,
) -> str:
    entries = numbers.entries(method, column)
    values = values_of(entries)
    why = _why_not(entries, column) if len(values) < max(len(entries), 1) else ""
    mark = notes.mark(why) if why else ""
    if not values:
        return f"–{mark}"
    text = plus_minus(values)
    if best is not None and method != REAL and mean_and_std(values)[0] == best:
        text = f"**{text}**"
    return text + (f" (n = {len(values)})" if len(values) != seeds else "") + mark


def values_of(entries: Sequence[Entry]) -> list[float]:
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


def best_mean(numbers: Numbers, column: Column, methods: Sequence[str]) -> float | None:
    """The best mean of a column, where there are two to choose from."""
    means = [
        mean_and_std(values)[0]
        for method in methods if method != REAL
        for values in [values_of(numbers.entries(method, column))] if values
    ]
    if len(set(means)) < 2 or column.better not in ("lower", "higher"):
        return None
    return min(means) if column.better == "lower" else max(means)


def published_cells(
    numbers: Numbers, method: str, column: Column,
    published: Mapping[str, Mapping[str, Any]], notes: Footnotes,
) -> list[str]:
    known = published.get(method, {}).get(column.name)
    if known is None:
        return ["", ""]
    value, source = float(getattr(known, "value", known)), getattr(known, "source", "")
    mark = notes.mark(f"published: {source}") if source else ""
    ours = values_of(numbers.entries(method, column))
    difference = f"{mean_and_std(ours)[0] - value:+.4g}" if ours else "–"
    return [f"{number(value)}{mark}", difference]
