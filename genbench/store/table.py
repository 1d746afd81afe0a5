"""Stored runs as one tidy table: a row for each run and metric, whether or not it has a number.

A metric that does not apply, a run that diverged, failed or has not run yet is a row with a status
and a reason, never a gap and never a magic number.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from genbench import lookup
from genbench.store.records import Record, Status, asked
from genbench.store.runs import Store
from genbench.suites.parts import metric_values
from genbench.suites.plan import Plan
from genbench.suites.spec import MetricSpec, RunSpec

__all__ = ["COLUMNS", "FORMATS", "Survey", "expected_values", "survey", "tidy"]

COLUMNS: dict[str, str] = {
    "suite": "object", "method": "object", "dataset": "object", "seed": "int64",
    "metric": "object", "protocol": "object", "value": "float64", "better": "object",
    "unit": "object", "status": "object", "reason": "object", "run": "object",
    "sampling_std": "float64", "title": "object", "updates": "Int64", "examples": "Int64",
    "seconds": "float64", "device": "object", "limited": "bool",
}
"""Column → its pandas dtype, in order."""

_STALE = "not measured with these settings yet; run the suite again"


class Survey(NamedTuple):
    """What one pass over the stored runs of a plan finds."""

    frame: pd.DataFrame
    """The tidy table."""
    records: dict[str, Record]
    """What was read, by run id."""


def tidy(plan: Plan, store: Store) -> pd.DataFrame:
    """Every run of the plan × every metric asked of it, with the columns of COLUMNS.

    `status` is "ok", "skipped" (does not apply), "not-finite" or "failed" (the metric) for a run
    that is done, and the state of the run otherwise.

    Raises:
        StoreError: a damaged run folder; names the file and the remedy.
    """
    return survey(plan, store).frame


def survey(plan: Plan, store: Store, known: Mapping[str, Record] | None = None) -> Survey:
    """The tidy table, and the records it is made of; reads each once, those of `known` not again.

    Raises:
        StoreError: a damaged run folder; names the file and the remedy.
    """
    known = known or {}
    records = {spec.id: known.get(spec.id) or store.run(spec.id).record() for spec in plan.runs}
    values = _Values()
    rows = [row for spec in plan.runs for row in _rows(plan.name, spec, records[spec.id], values)]
    columns = list(zip(*rows, strict=True)) or [()] * len(COLUMNS)
    frame = pd.DataFrame({
        name: pd.Series(list(column), dtype=dtype)
        for (name, dtype), column in zip(COLUMNS.items(), columns, strict=True)
    })
    return Survey(frame, records)


def expected_values(spec: MetricSpec, folder: str = "") -> dict[str, dict[str, str]]:
    """What a metric with these options measures: name → better, unit, title.

    Read from source; `folder` is where paths of plug-ins start.
    """
    component = lookup.describe("metric", spec.name, Path(folder) if folder else None)
    return metric_values(component, spec.options)


class _Values:
    """`expected_values`, found once for each metric: the runs of a plan share theirs."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, str], dict[str, dict[str, str]]] = {}

    def __call__(self, metric: MetricSpec, folder: str) -> dict[str, dict[str, str]]:
        key = (id(metric), folder)  # the plan keeps its metrics, so that no other gets this number
        if key not in self._known:
            self._known[key] = expected_values(metric, folder)
        return self._known[key]


def _rows(
    suite: str, spec: RunSpec, record: Record, values: _Values
) -> list[tuple[Any, ...]]:
    status, stored = record
    budget = stored.get("budget", {})
    complete = status.state == "done"
    fresh, stale = _by_age(stored, spec) if complete else ([], spec.evaluate)
    wanted = {name for metric in fresh for name in values(metric, spec.folder)}
    found = _measured(wanted, stored) if complete else []
    known = {one["metric"] for one in found}
    state, reason = ("queued", _STALE) if complete else _why_missing(status)
    missing = [
        {"metric": name, "status": state, "reason": reason, **facts}
        for metric in stale
        for name, facts in values(metric, spec.folder).items() if name not in known
    ]
    unique = {one["metric"]: one for one in missing}
    shared = (
        budget.get("updates", status.update or None), budget.get("examples"),
        budget.get("seconds", status.seconds or None), budget.get("device", ""), spec.limited,
    )
    return [
        (suite, spec.method, spec.dataset, spec.seed, one["metric"], one.get("protocol") or "",
         one.get("value"), one.get("better", "none"), one.get("unit", ""), one["status"],
         one.get("reason") or "", spec.id, one.get("sampling_std"), one.get("title", ""),
         *shared)
        for one in [*found, *unique.values()]
    ]


def _measured(wanted: set[str], stored: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The stored measurements that the suite still asks for."""
    return [
        one if one["status"] == "ok" else {**one, "value": None}
        for one in stored["measurements"] if one["metric"] in wanted
    ]


def _by_age(
    stored: Mapping[str, Any], spec: RunSpec
) -> tuple[list[MetricSpec], list[MetricSpec]]:
    """The metrics that were measured with their present settings, and the others."""
    was, now = stored.get("asked"), asked(spec)
    if was is None:  # a record without its settings is taken at its word
        return (spec.evaluate, []) if stored["measurements"] else ([], spec.evaluate)
    known = was.get("evaluate", []) if was.get("protocol") == now["protocol"] else []
    fresh, stale = list[MetricSpec](), list[MetricSpec]()
    for metric, settings in zip(spec.evaluate, now["evaluate"], strict=True):
        (fresh if settings in known else stale).append(metric)
    return fresh, stale


def _why_missing(status: Status) -> tuple[str, str]:
    """The state and reason of a run that has no numbers."""
    if status.reason or not status.updates:
        return status.state, status.reason or ("not run yet" if status.state == "queued" else "")
    return status.state, f"at update {status.update:,} of {status.updates:,}"


# --- formats -----------------------------------------------------------------------------------


def _csv(frame: pd.DataFrame) -> str:
    # as pandas writes it, and quicker
    columns = [_fields(frame[name]) for name in frame]
    lines = [map(_quoted, frame.columns), *zip(*columns, strict=True)]
    return "".join(f"{','.join(line)}\n" for line in lines)


def _fields(column: pd.Series[Any]) -> list[str]:
    """A column's cells as a CSV file has them; what comes again and again is quoted once."""
    if column.dtype == float:  # by repr, the shortest text that reads back the same
        return [repr(value) if value == value else "" for value in column.tolist()]
    values = column.to_numpy(object, na_value=None).tolist()  # type: ignore[call-overload]
    quoted = {value: _quoted(value) for value in set(values)}
    return [quoted[value] for value in values]


def _quoted(value: Any) -> str:
    buffer = io.StringIO()
    # not alone: an empty field would be quoted; with its line end: what holds one is quoted
    csv.writer(buffer, lineterminator="\n").writerow((value, 0))
    return buffer.getvalue().removesuffix(",0\n")


def _json(frame: pd.DataFrame) -> str:
    plain = frame.astype(object).where(frame.notna(), None)
    return json.dumps(plain.to_dict(orient="records"), indent=1, ensure_ascii=False) + "\n"


def _markdown(frame: pd.DataFrame) -> str:
    plain = frame.astype(object).where(frame.notna(), "")
    lines = [list(frame.columns), ["---"] * len(frame.columns), *plain.to_numpy().tolist()]
    return "".join("| " + " | ".join(map(_cell, line)) + " |\n" for line in lines)


def _cell(value: object) -> str:
    text = repr(value) if isinstance(value, float) else str(value)
    return " ".join(text.replace("|", "\\|").split())


FORMATS: dict[str, Callable[[pd.DataFrame], str]] = {
    "csv": _csv, "json": _json, "markdown": _markdown,
}
"""Format → the whole table as text, with a line end at its end."""
