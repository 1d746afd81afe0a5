"""What is expensive in a suite: as its parts declare, and the times of stored runs of its rows."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from math import inf
from pathlib import Path
from statistics import fmean
from typing import Any

from genbench.errors import PluginError, StoreError, in_a_line
from genbench.lookup import CAPABILITIES, Component, describe
from genbench.store.records import FINAL
from genbench.store.runs import RunFolder, Store
from genbench.suites.parts import capabilities
from genbench.suites.plan import Plan
from genbench.suites.spec import EXTERNAL, REAL, ComponentSpec, MetricSpec, RunSpec

LIMIT = 10_000
"""Samples at most where the protocol names no number."""
_MANY = 2000
"""Images from which on seeing them through a network takes its time."""
_SHOWN, _READ = 5, 3
"""Rows whose times are shown, and stored runs that are read for each."""
_CLASSIFIER = "for grey images a classifier is trained first where none is kept yet"
_INCEPTION = "Inception reads every colour image, minutes of a CPU for 10,000"

_Facts = Mapping[str, Any]


def costs(plan: Plan, store: Store, specs: Sequence[RunSpec] | None = None) -> list[str]:
    """At most two lines on runs of a plan (default: all): what is expensive, and known times.

    Raises:
        PluginError: a plug-in whose `expensive` is malformed.
    """
    chosen = plan.runs if specs is None else specs
    rows = list({(spec.method, spec.dataset): spec for spec in chosen}.values())
    notes: dict[str, dict[str, None]] = {}
    for spec in rows:
        for name, text in _expensive(spec, plan):
            notes.setdefault(text, {})[name] = None
    expensive = [f"{', '.join(names)} ({text})" for text, names in notes.items()]
    took = _took(rows, store)
    lines = [f"takes long: {'; '.join(expensive)}"] if expensive else []
    return [*lines, f"a stored run trained for: {', '.join(took)}"] if took else lines


def _expensive(spec: RunSpec, plan: Plan) -> Iterator[tuple[str, str]]:
    """The names of a run's expensive parts, and why each is expensive."""
    folder = Path(spec.folder) if spec.folder else None
    facts = _facts(spec, plan, folder)
    able: frozenset[str] | None = None
    if spec.model.name not in (REAL, EXTERNAL):
        model = describe("model", spec.model.name, folder)
        able = capabilities(model)
        parts: list[tuple[Component, ComponentSpec]] = [(model, spec.model)]
        objectives = [term.objective for stage in spec.stages for term in stage.terms]
        parts += [(describe("objective", part.name, folder), part) for part in objectives]
        for component, part in parts:
            for text in _declared(component, {**facts, **part.options}):
                yield f"{spec.method} on {spec.dataset}", text
    for metric in spec.evaluate:
        component = describe("metric", metric.name, folder)
        if _measured(component, facts, able):
            for text in _of_metric(component, metric, facts):
                yield metric.name, text


def _facts(spec: RunSpec, plan: Plan, folder: Path | None) -> _Facts:
    """What a declaration may speak of besides a part's own options."""
    about, dataset = plan.datasets[spec.dataset], describe("dataset", spec.data.name, folder)
    rows = (dataset.constants.get("train_rows"), spec.data.options.get("test_size"))
    samples = min(spec.protocol.samples or LIMIT, *(row or inf for row in rows))
    return {"data": about.kind, "labelled": about.labelled, "samples": samples,
            "sets": spec.protocol.sets}


def _measured(component: Component, facts: _Facts, able: frozenset[str] | None) -> bool:
    """Whether the metric is for such data and for what this model can do."""
    needs = {need for need in component.constants.get("needs", ()) if need in CAPABILITIES}
    fits = facts["data"] in component.constants.get("kinds", (facts["data"],))
    return fits and needs <= (able or frozenset())


def _of_metric(component: Component, metric: MetricSpec, facts: _Facts) -> Iterator[str]:
    yield from _declared(component, {**facts, **metric.options})
    extractor = metric.options.get("extractor")
    if extractor and facts["data"] == "images" and facts["samples"] >= _MANY:
        grey = extractor == "classifier" or (extractor == "auto" and facts["labelled"])
        yield _CLASSIFIER if grey else _INCEPTION


def _declared(component: Component, values: _Facts) -> Iterator[str]:
    try:
        for conditions, text in component.constants.get("expensive", ()):
            if all(_reached(values[name], least) for name, least in dict(conditions).items()):
                yield str(text).format(**values)
    except (KeyError, IndexError, ValueError, TypeError, AttributeError) as error:
        raise PluginError(
            f"{component.path}: `expensive` does not make sense: {in_a_line(error)}"
        ) from None


def _reached(value: Any, least: Any) -> bool:
    same = isinstance(least, str | bool) or value is None
    return bool(value == least if same else value >= least)


def _took(rows: Sequence[RunSpec], store: Store) -> list[str]:
    """Rows of which runs are stored, the longest first, with the seconds that training took."""
    stored: dict[str, list[RunFolder]] = {}
    for run in store.runs():
        stored.setdefault(_row(run.id), []).append(run)
    known = []
    for spec in rows:
        found = []
        for run in stored.get(_row(spec.id), ())[:_READ] if spec.stages else ():
            with suppress(StoreError):  # a damaged run is for those who run it
                status = run.status()
                if status.state in FINAL and status.seconds > 0:
                    found.append((status.seconds, status.updates))
        if found:
            updates = max(each for _, each in found)
            known.append((fmean(seconds for seconds, _ in found), updates, spec))
    known.sort(key=lambda each: -each[0])
    named = [
        f"{spec.method} on {spec.dataset} {seconds:.3g} s"
        + ("" if updates == spec.updates else f" (for {updates:,} updates of {spec.updates:,})")
        for seconds, updates, spec in known[:_SHOWN]
    ]
    return [*named, f"{len(known) - _SHOWN} more are quicker"] if len(known) > _SHOWN else named


def _row(run_id: str) -> str:
    """The method and dataset of a run's id."""
    return run_id.rsplit("--", 2)[0]
