"""What figures of training curves share."""

from __future__ import annotations

from collections.abc import Sequence

from genbench.reporting.numbers import Numbers
from genbench.store.runs import RunFolder
from genbench.suites.spec import REAL

__all__ = ["log_det", "raw_title", "row_titles", "true_entropy"]


def raw_title(raw: bool) -> str:
    """The panel of the training NLL, on the raw data where the scaling's constant is known."""
    return "model: nll, nats per example" if raw else "model: nll"


def log_det(folder: RunFolder) -> float | None:
    """What a run's stored scaling adds to a log density, nats; None where it is not constant."""
    value = folder.metrics()["budget"].get("log_det") if folder.sealed else None
    return None if value is None else float(value)


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
