"""Means over the last updates of a training curve."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

__all__ = ["last_mean"]


def last_mean(
    rows: Sequence[Mapping[str, Any]], player: str, wanted: Callable[[str], bool], updates: int
) -> float | None:
    """The mean, over the last `updates` updates of the run, of the sum of a player's wanted terms.

    A row holds a term's mean over the updates since the row before; a stretch that begins before
    the last `updates` counts with the part that lies within. None where there is no such row.
    """
    marks = sorted({int(row["update"]) for row in rows})
    if not marks:
        return None
    start = marks[-1] - updates
    spans = {
        mark: max(0, mark - max(before, start))
        for before, mark in zip([0, *marks], marks, strict=False)
    }
    total, weight = 0.0, dict[str, int]()
    for row in rows:
        term, span = str(row["term"]), spans[int(row["update"])]
        if row["player"] == player and wanted(term) and span:
            total += float(row["value"]) * span
            weight[term] = weight.get(term, 0) + span
    return total / max(weight.values()) if weight else None
