"""Named parts with options: what a suite says, checked against the part's own source."""

from collections.abc import Iterable, Mapping
from pathlib import Path as FilePath
from typing import Any

from genbench.bibliography import entries
from genbench.errors import GenbenchError, PluginError, UnknownName, in_a_line
from genbench.lookup import (
    CAPABILITIES,
    Capability,
    Component,
    describe,
    options_model,
    refusals,
    spelled,
    suggest,
)
from genbench.outside import describe_own, inner_options, normal_name, own_options
from genbench.seeding import digest
from genbench.suites.problems import Path, Problems
from genbench.suites.spec import ComponentSpec
from genbench.suites.typed import check, plain, shown


def find(
    kind: str, name: Any, path: Path, folder: FilePath, problems: Problems
) -> Component | None:
    """The component of a name, or None once the problem is noted."""
    if not isinstance(name, str) or not name:
        problems.add(path, f"expected the name of a {kind}, got {shown(name)}")
        return None
    try:
        component = describe(kind, normal_name(name), folder)
        options_model(component)
    except (UnknownName, PluginError) as error:
        problems.add(path, str(error))
        return None
    try:
        entries(component.constants.get("cite", ""))
    except GenbenchError as error:
        problems.add(path, f"{component.path}: {error}")
        return None
    return component


def resolve(
    component: Component, options: Mapping[str, Any], path: Path, folder: FilePath,
    problems: Problems,
) -> ComponentSpec | None:
    """The component with every option filled in, or None once the problems are noted."""
    options = spelled(component, options)
    checked, faults = check(options_model(component), options)
    problems.faults(path, faults)
    if checked is None:
        return None
    filled = plain(checked)
    for names, reason in refusals(component, filled):
        given = [name for name in names if name in options]
        problems.add((*path, *given[-1:]), reason)
        return None
    for name in own_options(component):
        if ":" in str(filled[name]):
            filled[name] = normal_name(filled[name])
            try:
                describe_own(name, str(filled[name]), folder)
            except PluginError as error:
                problems.add((*path, name), str(error))
                return None
    for name in inner_options(component, filled):
        part = find(component.kind, filled[name], (*path, name), folder, problems)
        if part is None:
            return None
        able = capabilities(part)
        if "mixture" in capabilities(component) and ("density" not in able or "fit" in able):
            problems.add((*path, name), f"'{part.name}' cannot be mixed: a component needs an "
                                        "exact density and learns by gradients")
            return None
        key = f"{name}_options"
        spec = resolve(part, filled[key], (*path, key), folder, problems)
        if spec is None:
            return None
        filled[name], filled[key] = part.name, spec.options
    return ComponentSpec(
        name=component.name, options=filled, source=code_of(component, filled, folder)
    )


def code_of(component: Component, options: Mapping[str, Any], folder: FilePath | None) -> str:
    """Hashes of all code of the user's that a part brings, with what its options name of it.

    Raises:
        PluginError: code that is not there, or cannot be read.
    """
    found = component.source_digest
    for name in own_options(component):
        if ":" in str(options[name]):
            found += describe_own(name, str(options[name]), folder).source_digest
    for name in inner_options(component, options):
        part = describe(component.kind, options[name], folder)
        found += code_of(part, options[f"{name}_options"], folder)
    return found


def own_code(component: Component, options: Mapping[str, Any], folder: FilePath | None) -> str:
    """As `code_of`, without the modules that the code imports: so it was hashed at first.

    Raises:
        PluginError: code that is not there, or cannot be read.
    """
    outside = component.source_digest != ""
    found = digest(component.path.read_text(encoding="utf-8"), 12) if outside else ""
    for name in inner_options(component, options):
        part = describe(component.kind, options[name], folder)
        found += own_code(part, options[f"{name}_options"], folder)
    return found


def capabilities(component: Component) -> frozenset[str]:
    """The names of what a model can do, as its source shows."""
    return frozenset(name for name, one in CAPABILITIES.items() if one.shown_by(component))


def in_words(needs: Iterable[str]) -> list[str]:
    """Capabilities, and what else metrics need, as users are told of them."""
    return [CAPABILITIES[name].words if name in CAPABILITIES else name for name in needs]


def requirements(objective: Component) -> list[Capability]:
    """What a model must be able to do, to be trained by an objective."""
    named = [CAPABILITIES[name] for name in objective.constants.get("requires", ())]
    return [*objective.asks, *named]


def lacking(objective: Component, model: Component) -> list[str]:
    """What of that a model is not able to do, in words."""
    return [one.words for one in requirements(objective) if not one.shown_by(model)]


_FORM = '{"my_number": {"better": "lower"}}'
_BETTER = ("lower", "higher", "target", "none")
_ABOUT_VALUES = ("better", "target", "unit", "title", "tolerance")


def metric_values(component: Component, options: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """What a metric with these options measures: name → {better, unit, title}.

    Raises:
        PluginError: the names hold what is no option of the metric.
    """
    values = component.constants.get("values", {})
    if not values:
        raise PluginError(f"{component.path}: a metric needs `values = {_FORM}`")
    for name, about in values.items():
        if not isinstance(about, Mapping):
            raise PluginError(
                f"{component.path}: `values` does not make sense; give '{name}' a mapping, as in "
                f"{_FORM}"
            )
        if odd := [key for key in about if key not in _ABOUT_VALUES]:
            raise PluginError(
                f"{component.path}: `values` of '{name}': unknown '{odd[0]}'"
                f"{suggest(str(odd[0]), _ABOUT_VALUES)}"
            )
        if odd := [key for key, text in about.items() if not isinstance(text, str)]:
            raise PluginError(
                f"{component.path}: `values` of '{name}': write {odd[0]} as a text, "
                f"\"{about[odd[0]]}\", not {about[odd[0]]!r}"
            )
        if about.get("better", "none") not in _BETTER:
            raise PluginError(
                f"{component.path}: `values` of '{name}': better is one of "
                f"{', '.join(_BETTER)}, not '{about['better']}'"
            )
    try:
        return {
            str(name).format(**options): {
                key: str(text).format(**options) for key, text in dict(about).items()
            }
            for name, about in values.items()
        }
    except (KeyError, IndexError, ValueError, TypeError, AttributeError) as error:
        raise PluginError(
            f"{component.path}: `values` does not make sense: {in_a_line(error)}"
        ) from None
