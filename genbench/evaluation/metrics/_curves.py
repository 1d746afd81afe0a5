"""Means over the last updates of a training curve."""

from collections.abc import Mapping, Sequence
from typing import Any


def last_mean(
    rows: Sequence[Mapping[str, Any]], player: str, wanted: str | None, updates: int
) -> float | None:
    """The mean, over the last `updates` updates of the run, of a player's term of that name.

    None stands for the sum of all its terms. Where several objectives log a term of one name, the
    first alone has the plain name. A row holds a term's mean over the updates since the row
    before; a stretch that begins before the last `updates` counts with the part that lies within.
    None where there is no such row.
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
        if row["player"] == player and wanted in (None, term) and span:
            total += float(row["value"]) * span
            weight[term] = weight.get(term, 0) + span
    return total / max(weight.values()) if weight else None
