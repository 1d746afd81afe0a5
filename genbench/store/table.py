"""Stored runs as rows: one for each run and metric, whether or not it has a number.

A metric that does not apply, a run that diverged, failed or has not run yet is a row with a status
and a reason, never a gap and never a magic number.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from genbench import lookup
from genbench.steps import step
from genbench.store.measurement import Measurement
from genbench.store.records import Record, Status, asked
from genbench.store.runs import Store
from genbench.suites.former import metrics_today
from genbench.suites.parts import metric_values
from genbench.suites.plan import Plan
from genbench.suites.spec import MetricSpec, RunSpec
from genbench.text.tidy import csv_text, json_text, markdown_text

_NOT_YET, _OTHERWISE = "not measured yet", "measured with other settings"


class MetricRow(NamedTuple):
    """One metric of one run: a number, or why there is none. The fields are the table's columns.

    `status` is "ok", "skipped" (does not apply), "not-finite" or "failed" (the metric) for a run
    that is done, and the state of the run otherwise.
    """

    suite: str
    method: str
    dataset: str
    seed: int
    metric: str
    protocol: str
    value: float | None
    """None unless the status is ok."""
    better: str
    """lower, higher, target or none."""
    unit: str
    status: str
    reason: str
    run: str
    sampling_std: float | None = None
    """Over sample sets of the one model; None where there is one set, or no sample."""
    title: str = ""
    updates: int | None = None
    examples: int | None = None
    seconds: float | None = None
    device: str = ""
    limited: bool = False
    """Whether --limit-updates cut the budget of the run."""
    target: str = ""
    """With the direction "target": the best value, and the side on which worse ones lie."""
    tolerance: float | None = None
    """How much worse the gate lets it become, in its unit; None for a share of the mean."""


class Survey(NamedTuple):
    """What one pass over the stored runs of a plan finds."""

    rows: list[MetricRow]
    """The tidy table."""
    records: dict[str, Record]
    """What was read, by run id."""


def tidy(plan: Plan, store: Store) -> list[MetricRow]:
    """Every run of the plan × every metric asked of it.

    Raises:
        StoreError: a damaged run folder; names the file and the remedy.
    """
    return survey(plan, store).rows


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
    asked_for = _FactsOfRuns()
    rows = [
        row for spec in plan.runs
        for row in _rows(plan.name, spec, records[spec.id], asked_for)
    ]
    return Survey(rows, records)


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
    reasons: dict[str, str]
    """Why not: name of a stale one → in words."""


class _FactsOfRuns:
    """`_Facts`, found once for the runs that share their metrics and their stored settings."""

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], _Facts] = {}

    def __call__(self, spec: RunSpec, stored: Mapping[str, Any]) -> _Facts:
        # the plan and the records keep all of these, so that no other gets their numbers
        key = (id(spec.evaluate), id(spec.protocol), spec.folder, id(stored.get("asked")),
               bool(stored.get("measurements")))
        if key not in self._known:
            found = self._known[key] = _Facts({}, {}, {})
            for metric, reason in zip(spec.evaluate, _stale_reasons(stored, spec), strict=True):
                values = expected_values(metric, spec.folder)
                (found.stale if reason else found.fresh).update(values)
                found.reasons.update(dict.fromkeys(values, reason) if reason else {})
        return self._known[key]


def _rows(
    suite: str, spec: RunSpec, record: Record, asked_for: _FactsOfRuns
) -> Iterator[MetricRow]:
    """The rows of a run: what was measured, then what was not measured with these settings."""
    status, stored = record
    complete = status.state == "done"
    fresh, stale, reasons = asked_for(spec, stored if complete else {})
    found = [one for one in stored["measurements"] if one.metric in fresh] if complete else []
    state, reason = ("queued", "") if complete else _why_missing(status)
    known = {one.metric for one in found} if stale else set()
    missing = [
        Measurement(metric=name, status=state, reason=reasons[name] if complete else reason,
                    unit=about.get("unit", ""), title=about.get("title", ""))
        for name, about in stale.items() if name not in known
    ]
    budget = stored.get("budget", {})
    shared = (
        budget.get("updates", status.update or None), budget.get("examples"),
        budget.get("seconds", status.seconds or None), budget.get("device", ""),
        spec.limited,
    )
    for one in (*found, *missing):
        # a metric's own word counts, not what was its word when it measured
        declared = (fresh if one.metric in fresh else stale)[one.metric]
        yield MetricRow(
            suite, spec.method, spec.dataset, spec.seed, one.metric, one.protocol,
            one.value if one.status == "ok" else None, declared.get("better") or "none",
            one.unit, one.status, one.reason, spec.id, one.sampling_std, one.title, *shared,
            declared.get("target") or "", one.tolerance,
        )


def _stale_reasons(stored: Mapping[str, Any], spec: RunSpec) -> list[str]:
    """For each metric, why it was not measured with its present settings; empty where it was."""
    was, now = stored.get("asked"), asked(spec)
    if was is None:  # a record without its settings is taken at its word
        found = "" if stored.get("measurements") else f"{_NOT_YET}; run the suite again"
        return [found] * len(spec.evaluate)
    known = metrics_today(was.get("evaluate", []))
    shared = _changes(was.get("protocol", {}), now["protocol"])
    return [_stale_reason(known, one, shared) for one in metrics_today(now["evaluate"])]


def _stale_reason(known: Sequence[Any], now: dict[str, Any], shared: list[str]) -> str:
    named = [one for one in known if isinstance(one, Mapping) and one.get("name") == now["name"]]
    if now in named and not shared:
        return ""
    if not named:
        return f"{_NOT_YET}; run the suite again"
    was = named[0] if now not in named else now
    changed = _changes(was.get("options", {}), now["options"]) + [
        f"another {what}" for what in ("version", "source") if was.get(what) != now.get(what)
    ] + shared
    return f"{_OTHERWISE} ({', '.join(changed)}); run the suite again"


def _changes(was: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """The settings that differ, as `radius 3.0, now null`."""
    return [
        f"{name} {json.dumps(was.get(name))}, now {json.dumps(now.get(name))}"
        for name in dict.fromkeys([*was, *now]) if was.get(name) != now.get(name)
    ]


def unmeasured_lines(rows: Iterable[MetricRow], suite: object) -> list[str]:
    """A line for each reason why finished runs lack numbers that `genbench run` would measure."""
    found: dict[str, tuple[dict[str, None], set[str]]] = {}
    for row in rows:
        if row.status == "queued" and row.reason.startswith((_NOT_YET, _OTHERWISE)):
            names, runs = found.setdefault(row.reason.rpartition(";")[0], ({}, set()))
            names[row.metric] = None
            runs.add(row.run)
    return [
        f"{', '.join(names)}: {reason} in {len(runs)} trained run{'s' * (len(runs) > 1)}; "
        f"`genbench run {suite}` measures them, without training"
        for reason, (names, runs) in found.items()
    ]


def _why_missing(status: Status) -> tuple[str, str]:
    """The state and reason of a run that has no numbers."""
    if status.reason or not status.updates:
        return status.state, status.reason or ("not run yet" if status.state == "queued" else "")
    return status.state, f"at update {status.update:,} of {status.updates:,}"


# --- formats -----------------------------------------------------------------------------------

FORMATS: dict[str, Callable[[Sequence[MetricRow]], str]] = {
    "csv": partial(csv_text, MetricRow._fields), "json": partial(json_text, MetricRow._fields),
    "markdown": partial(markdown_text, MetricRow._fields),
}
"""Format → the whole table as text, with a line end at its end."""
