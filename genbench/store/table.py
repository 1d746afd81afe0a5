"""Stored runs as one tidy table: a row for each run and metric, whether or not it has a number.

A metric that does not apply, a run that diverged, failed or has not run yet is a row with a status
and a reason, never a gap and never a magic number.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from genbench import lookup
from genbench.steps import step
from genbench.store.records import Record, Status, asked
from genbench.store.runs import Store
from genbench.suites.parts import metric_values
from genbench.suites.plan import Plan
from genbench.suites.spec import MetricSpec, RunSpec

__all__ = ["COLUMNS", "FORMATS", "Survey", "by_metric", "expected_values", "survey", "tidy"]

COLUMNS: dict[str, str] = {
    "suite": "object", "method": "object", "dataset": "object", "seed": "int64",
    "metric": "object", "protocol": "object", "value": "float64", "better": "object",
    "unit": "object", "status": "object", "reason": "object", "run": "object",
    "sampling_std": "float64", "title": "object", "updates": "Int64", "examples": "Int64",
    "seconds": "float64", "device": "object", "limited": "bool", "target": "object",
    "tolerance": "float64",
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
    with step("reading the stored runs"):
        records = {
            spec.id: known.get(spec.id) or store.run(spec.id).record() for spec in plan.runs
        }
    columns: dict[str, list[Any]] = {name: [] for name in COLUMNS}
    asked_for = _Asked()
    for spec in plan.runs:
        _add_rows(columns, plan.name, spec, records[spec.id], asked_for)
    frame = pd.DataFrame({
        name: pd.Series(column, dtype=COLUMNS[name]) for name, column in columns.items()
    })
    return Survey(frame, records)


def by_metric(measurements: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """What was measured of one model, as metrics.json has it, by metric."""
    columns = ["metric", "value", "sampling_std", "unit", "better", "protocol", "status", "reason"]
    rows = [[one.get(name) for name in columns] for one in measurements]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.astype({"value": float, "sampling_std": float}).set_index("metric")


def expected_values(spec: MetricSpec, folder: str = "") -> dict[str, dict[str, str]]:
    """What a metric with these options measures: name → better, unit, title.

    Read from source; `folder` is where paths of plug-ins start.
    """
    component = lookup.describe("metric", spec.name, Path(folder) if folder else None)
    return metric_values(component, spec.options)


class _Facts(NamedTuple):
    """What a run is asked for."""

    fresh: dict[str, dict[str, str]]
    """Measured with the present settings: name → better, unit, title."""
    stale: dict[str, dict[str, str]]
    """Not measured with them: name → better, unit, title."""


class _Asked:
    """`_Facts`, found once for the runs that share their metrics and their stored settings."""

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], _Facts] = {}

    def __call__(self, spec: RunSpec, stored: Mapping[str, Any]) -> _Facts:
        # the plan and the records keep all of these, so that no other gets their numbers
        key = (id(spec.evaluate), id(spec.protocol), spec.folder, id(stored.get("asked")),
               bool(stored.get("measurements")))
        if key not in self._known:
            fresh, stale = (
                {name: facts for metric in metrics
                 for name, facts in expected_values(metric, spec.folder).items()}
                for metrics in _by_age(stored, spec)
            )
            self._known[key] = _Facts(fresh, stale)
        return self._known[key]


def _add_rows(
    columns: Mapping[str, list[Any]], suite: str, spec: RunSpec, record: Record, asked_for: _Asked
) -> None:
    """Lengthen every column by the rows of a run; by column, since there are many rows."""
    status, stored = record
    complete = status.state == "done"
    fresh, stale = asked_for(spec, stored if complete else {})
    found = [one for one in stored["measurements"] if one["metric"] in fresh] if complete else []
    state, reason = ("queued", _STALE) if complete else _why_missing(status)
    known = {one["metric"] for one in found} if stale else set()
    missing = [
        {"metric": name, "status": state, "reason": reason, **about}
        for name, about in stale.items() if name not in known
    ]
    rows, facts = [*found, *missing], {**stale, **fresh}
    for name, instead in _ABSENT.items():
        columns[name].extend([one.get(name) or instead for one in rows])
    for name in _DECLARED:  # a metric's own word counts, not what was its word when it measured
        columns[name].extend([
            facts[one["metric"]].get(name) or _DECLARED[name] for one in rows
        ])
    columns["value"].extend([one.get("value") if one["status"] == "ok" else None for one in rows])
    columns["sampling_std"].extend([one.get("sampling_std") for one in rows])
    columns["tolerance"].extend([one.get("tolerance") for one in found] + [None] * len(missing))
    budget = stored.get("budget", {})
    shared = {
        "suite": suite, "method": spec.method, "dataset": spec.dataset, "seed": spec.seed,
        "run": spec.id, "updates": budget.get("updates", status.update or None),
        "examples": budget.get("examples"), "limited": spec.limited,
        "seconds": budget.get("seconds", status.seconds or None),
        "device": budget.get("device", ""),
    }
    for name, value in shared.items():
        columns[name].extend([value] * len(rows))


_ABSENT = {"metric": "", "protocol": "", "unit": "", "status": "", "reason": "", "title": ""}
"""The texts of a measurement → what the table has where there is none."""
_DECLARED = {"better": "none", "target": ""}
"""What a metric declares → what the table has where it does not."""


def _by_age(
    stored: Mapping[str, Any], spec: RunSpec
) -> tuple[list[MetricSpec], list[MetricSpec]]:
    """The metrics that were measured with their present settings, and the others."""
    was, now = stored.get("asked"), asked(spec)
    if was is None:  # a record without its settings is taken at its word
        return (spec.evaluate, []) if stored.get("measurements") else ([], spec.evaluate)
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
    values = column.tolist()
    if column.dtype == float:  # by repr, the shortest text that reads back the same
        return [repr(value) if value == value else "" for value in values]
    quoted = {value: _quoted(value) for value in set(values)}
    as_they_are = all(isinstance(value, str) and value == quoted[value] for value in quoted)
    return values if as_they_are else [quoted[value] for value in values]


def _quoted(value: Any) -> str:
    if value is pd.NA or value != value:
        return ""
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
