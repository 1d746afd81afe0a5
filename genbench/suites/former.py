"""Stored specifications of earlier genbenchs, as they are written today.

Format 1 hashed every option into a run's id; in format 2 an option enters it where it differs from
the default. An option that came later is filled in: as what runs before it amount to, where its
class says so in `formerly`, else by its default. One that there is no longer is left out where it
did nothing: where it had the value that stands in `retired`.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from genbench.lookup import Component, conditions_hold, spelled
from genbench.outside import inner_options, normal_name, own_options
from genbench.suites.contents import published
from genbench.suites.identity import defaults_of, known_part
from genbench.suites.spec import EXTERNAL, RunSpec

_SOURCE = re.compile(r"(?:v(\d+)\.)?([^+]*)\+?(.*)")
"""Of format 1: the version, the hash of the code, and that of the data."""


def read_spec(raw: Any) -> RunSpec:
    """A specification of any format.

    Raises:
        pydantic.ValidationError: it is none.
    """
    return RunSpec.model_validate(_written_today(raw) if isinstance(raw, Mapping) else raw)


def _written_today(raw: Mapping[str, Any]) -> dict[str, Any]:
    """A specification, or what decides the runs of a row, in today's format and options.

    What makes no sense is left for whoever checks it.
    """
    found = dict(raw)
    first = found.setdefault("format", 1) == 1
    found["model"] = _part("model", found.get("model"), first)
    found["data"] = _part("dataset", found.get("data"), first)
    if isinstance(stages := found.get("stages"), list):
        found["stages"] = [_stage(stage, first) for stage in stages]
    return found | ({"format": 2} if first else {})


def metrics_today(metrics: Sequence[Any]) -> list[Any]:
    """What was asked of the metrics of a run, with the options that they have today."""
    return [_part("metric", metric, first=False) for metric in metrics]


def _stage(stage: Any, first: bool) -> Any:
    if not isinstance(stage, Mapping) or not isinstance(stage.get("terms"), list):
        return stage
    terms = [
        {**term, "objective": _part("objective", term.get("objective"), first)}
        if isinstance(term, Mapping) else term
        for term in stage["terms"]
    ]
    return {**stage, "terms": terms}


def _part(kind: str, part: Any, first: bool) -> Any:
    """A component's specification as it is written today."""
    if not isinstance(part, Mapping) or not isinstance(part.get("name"), str) or not (
        isinstance(part.get("options", {}), Mapping)
    ):
        return part
    found, options = {**part, "name": normal_name(part["name"])}, part.get("options", {})
    component = known_part(kind, part["name"])
    if first:
        found |= _of_format_1(part["name"], str(part.get("source", "")))
    if component is None:
        return found
    found["options"] = _completed(component, options)
    if first and (versions := _versions_then(component, options, found["options"])):
        found["versions"] = versions | found.get("versions", {})
    if (archive := component.constants.get("archive")) and not found.get("contents"):
        found["contents"] = published(archive)
    return found


def _of_format_1(name: str, source: str) -> dict[str, Any]:
    if name == EXTERNAL:
        return {"source": "", "contents": source}
    match = _SOURCE.fullmatch(source)
    assert match is not None
    version, code, contents = match.groups()
    versions = {"versions": {name: int(version)}} if version else {}
    return {"source": code, "contents": contents, **versions}


def _completed(component: Component, options: Mapping[str, Any]) -> dict[str, Any]:
    """Every option there is today, by today's name; others stay as they are."""
    formerly, retired = (component.constants.get(name, {}) for name in ("formerly", "retired"))
    then = {
        name: value for name, value in spelled(component, options).items()
        if name not in retired or value != retired[name]
    }
    found = {**defaults_of(component), **formerly, **then}
    for name in inner_options(component, then):
        part = known_part(component.kind, then[name])
        if part is not None:
            found[f"{name}_options"] = _completed(part, then[f"{name}_options"])
    for name in (*own_options(component), *inner_options(component, found)):
        found[name] = normal_name(found[name]) if isinstance(found[name], str) else found[name]
    return found


def _versions_then(
    component: Component, written: Mapping[str, Any], options: Mapping[str, Any]
) -> dict[str, int]:
    """The versions above 1 that a specification of format 1, which names none, tells by options.

    Who wrote an option that came with a version had that version.
    """
    formerly = component.constants.get("formerly", {})
    versions = [
        version for version, conditions in component.constants.get("changed", {}).items()
        if formerly.keys() & conditions.keys() & written.keys()
        and conditions_hold(conditions, options, component)
    ]
    found = {component.name: max(versions)} if versions else {}
    for name in inner_options(component, written):
        part, of = known_part(component.kind, written[name]), f"{name}_options"
        if part is not None:
            found |= _versions_then(part, written[of], options[of])
    return found
