"""What of a part decides a run: the options that differ from its class's, and its version.

A neutral option that a later genbench adds stands nowhere in the ids of runs that do not use it. A
class constant `version` is raised when results, or what a default means, change; `changed` says
for which options, so that all other runs keep their ids.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from genbench.errors import UnknownName
from genbench.lookup import Component, conditions_hold, describe, option_type
from genbench.outside import inner_options
from genbench.suites.typed import plain


def differing(kind: str, name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that are not as the class has them, by their first spelling.

    Of code from outside the package all count: its source decides what their defaults are.
    """
    component = known_part(kind, name)
    if component is None:
        return dict(options)
    defaults, inner = defaults_of(component), inner_options(component, options)
    first = {new: old for old, new in reversed(list(_aliases(component).items()))}
    found: dict[str, Any] = {}
    for option, value in options.items():
        if option.removesuffix("_options") in inner and option not in inner:
            continue
        default = defaults.get(option, ...)
        if option in inner:
            of, usual = f"{option}_options", str(default)
            value = [value, differing(kind, value, options[of])]
            default = [usual, differing(kind, usual, defaults[of])]
        if default is ... or json.dumps(value) != json.dumps(default):
            found[first.get(option, option)] = value
    return found


def known_part(kind: str, name: str) -> Component | None:
    """A part of genbench; None of code from outside, and of what there is no longer."""
    try:
        return None if ":" in name else describe(kind, name)
    except UnknownName:
        return None


@cache
def defaults_of(component: Component) -> Mapping[str, Any]:
    """The defaults by option, as a specification has them; none of a required option."""
    return {
        option.name: plain(
            TypeAdapter(option_type(option, component)).validate_python(option.default)
        )
        for option in component.options if not option.required
    }


def versions_of(
    component: Component, options: Mapping[str, Any], near: Path | None, facts: Mapping[str, Any]
) -> dict[str, int]:
    """The versions above 1 of a part, and of the models that its options name, by name.

    Of each the last that changed the results of these options; `facts` is what `changed` may
    speak of beside them.
    """
    changed = component.constants.get("changed", {})
    latest = int(component.constants.get("version", 1))
    version = next((
        number for number in range(latest, 1, -1)
        if conditions_hold(changed.get(number, {}), {**options, **facts}, component)
    ), 1)
    found = {component.name: version} if version > 1 else {}
    for name in inner_options(component, options):
        part = describe(component.kind, options[name], near)
        found |= versions_of(part, options[f"{name}_options"], near, facts)
    return found


def _aliases(component: Component) -> Mapping[str, str]:
    """Former spelling → option."""
    found: Mapping[str, str] = component.constants.get("aliases", {})
    return found
