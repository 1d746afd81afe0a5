"""The folder is the registry: what there is, and which options it takes, read from source.

Nothing is imported to list, describe or validate: files are parsed with `ast`, so `genbench list`
answers without torch. `load` alone imports. Code outside the package is named as
`path/to/file.py:Class` or `package.module:Class`.
"""

import ast
import difflib
import importlib
import importlib.util
import inspect
import warnings
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, create_model
from pydantic.errors import PydanticUserError
from pydantic_core import SchemaError

from genbench._annotations import KNOWN, type_of
from genbench._capabilities import Capability, capabilities_in, capability_words
from genbench._contracts import taken_names, undefined_methods
from genbench._source import Component, Option, find_class, parse_file, read_component
from genbench.errors import PluginError, UnknownName, in_a_line
from genbench.outside import load_plugin, plugin_source

__all__ = [
    "CAPABILITIES",
    "KINDS",
    "Capability",
    "Component",
    "Option",
    "available",
    "capability_words",
    "conditions_hold",
    "describe",
    "facts",
    "load",
    "of_class",
    "option_type",
    "options_model",
    "own_class",
    "refusals",
    "spelled",
    "suggest",
]

ROOT = Path(__file__).parent
KINDS: Mapping[str, tuple[str, str]] = {
    "model": ("models", "Model"),
    "objective": ("objectives", "Objective"),
    "dataset": ("data", "Dataset"),
    "metric": ("evaluation/metrics", "Metric"),
    "figure": ("reporting/figures", "FigureKind"),
    "executor": ("running/executors", "Executor"),
}
"""Kind → (folder under the package, name of the base class)."""

_OF_SUITES: Mapping[str, tuple[str, ...]] = {
    "model": ("name",), "objective": ("weight",), "dataset": ("use", "budget"), "metric": (),
    "figure": ("kind", "title", "caption", "dataset", "methods"),
    "executor": (),
}
"""Kind → the words that a suite writes beside its options."""
MANY = 40
"""As many names as a message lists; of more, it says how many."""
_GIVEN = {"batch", "data", "model"}
"""What a component may refuse beside its own options, in `refusals`."""
CAPABILITIES: Mapping[str, Capability] = {
    one.name: one for one in (
        *capabilities_in(parse_file(ROOT / "models/base.py")),
        Capability("conditional", "class labels as input"),
    )
}
"""What a model may be able to do."""


def suggest(name: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?`, or the list of what there is when nothing is close."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6) or [
        one for one in names if one.casefold() == name.casefold()
    ]
    if close:
        return f"; did you mean '{close[0]}'?"
    more = f" and {len(names) - MANY} more" if len(names) > MANY else ""
    return f"; there is {', '.join(names[:MANY])}{more}" if names else ""


def own_class(kind: str) -> str:
    """What a user may write where nothing built in will do, and where that is shown."""
    where = f"`genbench docs extending/{kind}` shows one"
    return f"a class of your own, my_file.py:My{KINDS[kind][1].removesuffix('Kind')} ({where})"


@cache
def available(kind: str) -> tuple[str, ...]:
    """The sorted names of every built-in component of a kind."""
    folder, base = KINDS[kind]
    files = sorted((ROOT / folder).glob("[!_]*.py"))
    return tuple(path.stem for path in files if find_class(parse_file(path), base) is not None)


def describe(kind: str, name: str, near: Path | None = None) -> Component:
    """What the source says of a component.

    `name` is a built-in name, `path/to/file.py:Class` (relative to `near`, the suite's folder) or
    `package.module:Class`. The same source gives the same object.

    Raises:
        UnknownName: no built-in of that name.
        PluginError: a user's file that is missing, does not parse, or holds no such class.
    """
    if ":" in name:
        return _describe_plugin(kind, name, near)
    if name not in available(kind):
        hint = suggest(name, available(kind))
        own = "" if "did you mean" in hint else f"; or {own_class(kind)}"
        raise UnknownName(f"no {kind} '{name}'{hint}{own}")
    return _describe_builtin(kind, name)


def load(component: Component) -> type:
    """Import a component's class.

    Raises:
        PluginError: a user's file that fails to import; its own error is shown.
    """
    if component.module is None or not component.module.startswith("genbench."):
        return load_plugin(component)
    return getattr(importlib.import_module(component.module), component.class_name)


@cache
def options_model(component: Component) -> type[BaseModel]:
    """A pydantic model of a component's options; unknown options are refused.

    Raises:
        PluginError: an annotation that is not a type that an option may have.
    """
    definitions: dict[str, Any] = {}
    own = not (component.module or "").startswith("genbench.")
    for option in component.options:
        if own and option.name in _OF_SUITES[component.kind]:
            other = f"{component.class_name.lower()}_{option.name}"
            raise PluginError(
                f"{component.path}: in a suite '{option.name}' says something else of every "
                f"{component.kind}, so that no option can be called so, with an underscore or "
                f"without; call the field otherwise, '{other}' say"
            )
        if own and option.attribute in taken_names(*KINDS[component.kind]):
            raise PluginError(
                f"{component.path}: every {component.kind} has a '{option.attribute}' already, so "
                f"that no option can be called so; call the field '{option.attribute}_' (in a "
                f"suite the option is '{option.attribute}' then) or otherwise"
            )
        annotation = option_type(option, component)
        default = ... if option.required else option.default
        definitions[option.name] = (annotation, Field(default, description=option.doc))
    config = ConfigDict(extra="forbid", validate_default=True, protected_namespaces=())
    try:
        with warnings.catch_warnings():  # an option called `copy` hides nothing that we use
            warnings.simplefilter("ignore", UserWarning)
            model = create_model(component.class_name, __config__=config, **definitions)
            model.model_rebuild()  # a type that is only named is looked for now
            return model
    except (PydanticUserError, SchemaError, NameError, TypeError, ValueError) as error:
        first = str(error).splitlines()[0]
        raise PluginError(f"{component.path}: the options do not make sense: {first}") from None


def refusals(
    component: Component, options: Mapping[str, Any], **given: Any
) -> list[tuple[list[str], str]]:
    """Which of these options (all filled in) cannot go together, and why.

    A component says so in `refuses`: pairs of {option: value} and a reason. All values must be
    there; a tuple is any of its values, {"but": value} is every other one, "> 0" and "> option"
    every larger number; of a choice from a table, {"with": fact} and {"without": fact} are those
    of which the table says so or does not (see `Option.facts`).

    With `data`, "points" or "images", `batch`, a size, or `model`, what is known of the model (see
    `facts`; its options are "model.option" there), only those are looked at that speak of all that
    is given.
    """
    about = given.get("model", {})
    known = {**options, **given, **{f"model.{name}": value for name, value in about.items()}}
    return [
        ([name for name in conditions if name in options], reason)
        for conditions, reason in component.constants.get("refuses", ())
        if {name.partition(".")[0] for name in conditions} & _GIVEN == given.keys()
        and conditions_hold(conditions, known, component)
    ]


def conditions_hold(
    conditions: Mapping[str, Any], known: Mapping[str, Any], component: Component | None = None
) -> bool:
    """Whether all of these hold of what is known, in the words that `refusals` explains.

    The `component` is whose options they speak of, and what stands behind their values.
    """
    facts_of = {option.name: option.facts for option in component.options} if component else {}

    def among(value: Any, wanted: Any) -> bool:
        return value in (wanted if isinstance(wanted, tuple) else (wanted,))

    def holds(name: str, wanted: Any) -> bool:
        value = known.get(name)
        if isinstance(wanted, dict):
            if "but" in wanted:
                return name in known and not among(value, wanted["but"])
            ((word, fact),) = wanted.items()
            stated = bool(facts_of[name].get(str(value), {}).get(fact))
            return stated if word == "with" else not stated
        if isinstance(wanted, str) and wanted.startswith("> "):
            least = known.get(wanted[2:], 0)
            return isinstance(value, int | float) and value > least
        return among(value, wanted)

    return all(holds(name, wanted) for name, wanted in conditions.items())


def spelled(component: Component, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options as they are called today; a former spelling beside today's stays as it is."""
    aliases = component.constants.get("aliases", {})
    return {
        name if aliases.get(name, name) in options else aliases.get(name, name): value
        for name, value in options.items()
    }


def facts(model: Component, options: Mapping[str, Any]) -> dict[str, Any]:
    """What objectives may refuse a model for: its options, those of its parts as
    "component_options.couplings", and whether it is "conditional"."""
    found: dict[str, Any] = {}
    for name, value in options.items():
        inner = value if isinstance(value, Mapping) else {}
        found |= {name: value, **{f"{name}.{key}": item for key, item in inner.items()}}
    return {**found, "conditional": bool(model.constants.get("conditional", False))}


def of_class(kind: str, cls: type) -> Component:
    """The component of a class at hand (used when a component is built from Python)."""
    return _of_class(kind, Path(inspect.getsourcefile(cls) or ""), cls.__name__, cls.__module__)


@cache
def _of_class(kind: str, path: Path, name: str, module: str) -> Component:
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    node = find_class(tree, KINDS[kind][1], name)
    if node is None:
        raise PluginError(f"{path}: class {name} is not at the top level of its file")
    base = KINDS[kind][1]
    return read_component(kind, path.stem, path, tree, node, base=base, module=module)


def option_type(option: Option, component: Component) -> Any:
    """The type of an option.

    Raises:
        PluginError: its annotation is not a type that an option may have.
    """
    try:
        return type_of(option.annotation)
    except ValueError:
        raise PluginError(
            f"{component.path}: option '{option.name}': '{option.annotation}' is not a type that "
            f"an option may have; use {', '.join(sorted(KNOWN))}, or ClassVar[...] for what is no "
            "option"
        ) from None


@cache
def _describe_builtin(kind: str, name: str) -> Component:
    folder, base = KINDS[kind]
    path = ROOT / folder / f"{name}.py"
    tree = parse_file(path)
    node = find_class(tree, base)
    assert node is not None
    module = ".".join(["genbench", *folder.split("/"), name])
    return read_component(kind, name, path, tree, node, base=base, module=module)


# --- code outside the package ------------------------------------------------------------------


def _describe_plugin(kind: str, name: str, near: Path | None) -> Component:
    return _read_plugin(kind, name, *plugin_source(kind, name, near))


@cache
def _read_plugin(
    kind: str, name: str, where: str, class_name: str, path: Path, module: str | None,
    source: str, code: str,
) -> Component:
    try:
        tree = ast.parse(source, str(path))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise PluginError(f"{kind} '{name}': {in_a_line(error)}") from None
    base = KINDS[kind][1]
    node = find_class(tree, base, class_name)
    if node is None:
        raise PluginError(f"{kind} '{name}': {where} holds no class {class_name}({base})")
    if missing := undefined_methods(*KINDS[kind], tree, node):
        raise PluginError(
            f"{kind} '{name}': class {class_name} does not define {', '.join(missing)}; "
            f"`genbench docs extending/{kind}` shows one"
        )
    return read_component(
        kind, name, path, tree, node, base=base, module=module, source_digest=code
    )
