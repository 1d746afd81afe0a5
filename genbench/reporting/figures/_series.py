"""What figures of training curves share, and the words for runs that have nothing to show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from genbench.reporting.numbers import Numbers
from genbench.store.runs import RunFolder
from genbench.suites.spec import REAL, RunSpec

__all__ = [
    "WORDS", "log_det", "raw_title", "row_titles", "standing", "total", "true_entropy",
    "unfinished", "wanted_terms",
]

ORDER = ("diverged", "failed", "timed-out", "interrupted", "running", "queued")
WORDS = {"queued": "not run yet"}
"""States in other words."""


def raw_title(raw: bool) -> str:
    """The panel of the training NLL, on the raw data where the scaling's constant is known."""
    return "model: nll, nats" if raw else "model: nll"


def log_det(numbers: Numbers, spec: RunSpec) -> float | None:
    """What a run's scaling adds to a log density, nats; None where it is not known or constant.

    Stored by runs that finished; 0 for a run on the raw scale that diverged.
    """
    return numbers.log_dets.get(spec.id, 0.0 if spec.scale == "raw" else None)


def wanted_terms(
    numbers: Numbers, spec: RunSpec, folder: RunFolder, terms: Sequence[str]
) -> Iterator[tuple[str, str, np.ndarray]]:
    """The term asked for, panel title and series (2, N) of each that the run has (all if none).

    `critic: loss` is the sum of the critic's terms, at each update of those that were logged.
    """
    series, moved = folder.series(), log_det(numbers, spec)
    asked = terms or [f"{player}: {term}" for player, term in series]
    for name in asked:
        player, term = (part.strip() for part in name.split(":", 1))
        values = series.get((player, term))
        if values is None and (player, term) == ("critic", "loss"):
            values = total([rows for (who, _), rows in series.items() if who == "critic"])
        if values is None:
            continue
        if (player, term) == ("model", "nll") and moved is not None:
            yield name, raw_title(True), np.stack([values[0], values[1] - moved])
        else:
            yield name, f"{player}: {term.replace('_', ' ')}", values


def total(parts: Sequence[np.ndarray]) -> np.ndarray | None:
    """The sum of series (2, N) that may have begun at different updates."""
    if not parts:
        return None
    updates = np.unique(np.concatenate([part[0] for part in parts]))
    summed = np.zeros_like(updates)
    for part in parts:
        np.add.at(summed, np.searchsorted(updates, part[0]), part[1])
    return np.stack([updates, summed])


def true_entropy(numbers: Numbers, dataset: str) -> float | None:
    """The entropy of the truth, where a metric measured it."""
    for (_, where, metric), entries in sorted(numbers.cells.items()):
        if where == dataset and metric == "true_entropy":
            for entry in entries:
                if entry.status == "ok":
                    return float(entry.value)
    return None


def row_titles(numbers: Numbers, methods: Sequence[str]) -> dict[str, str]:
    """The rows' titles as plain text; a row's name where others share its title."""
    titles = {method: numbers.title(method) for method in methods if method != REAL}
    shared = [title for title in titles.values() if list(titles.values()).count(title) > 1]
    named = {m: m if title in shared else title for m, title in titles.items()}
    return {**named, REAL: "real data"}


def standing(folders: Sequence[RunFolder]) -> str:
    """Why runs have nothing to show, e.g. `diverged: nll became nan; not run yet`."""
    words = []
    for folder in sorted(folders, key=_place):
        state, reason = folder.state, folder.status().reason.split("\n")[0]
        said = WORDS.get(state, state)
        words.append(f"{said}: {reason}" if reason and state in ORDER[:2] else said)
    return "; ".join(dict.fromkeys(words)) or "no run on this dataset"


def unfinished(folders: Sequence[RunFolder]) -> str:
    """How many runs of a row have not come to their end, e.g. ` (1 diverged, 2 not run yet)`."""
    counts = Counter(folder.state for folder in folders)
    words = [f"{counts[state]} {WORDS.get(state, state)}" for state in ORDER if counts[state]]
    return f" ({', '.join(words)})" if words else ""


def _place(folder: RunFolder) -> int:
    return ORDER.index(folder.state) if folder.state in ORDER else len(ORDER)
