"""What there is: lists, and everything about one name, as plain text."""

import re
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

from genbench.bibliography import merged
from genbench.errors import GenbenchError, PluginError, UnknownName
from genbench.fields import Optimiser
from genbench.lookup import Component, available, describe, suggest
from genbench.suites.expand import load_plan
from genbench.suites.methods import RULES, Method, resolve_method
from genbench.suites.parts import capabilities, in_words, requirements
from genbench.suites.plan import find_suite, suite_names
from genbench.suites.problems import Problems
from genbench.suites.rows import Row
from genbench.suites.spec import TermSpec
from genbench.suites.typed import plain
from genbench.suites.yaml_source import read
from genbench.suites.zoo import method_names, zoo_path, zoo_source

KINDS = (
    "models", "objectives", "methods", "datasets", "metrics", "figures", "executors", "suites",
)
_COMPONENTS = ("model", "objective", "dataset", "metric", "figure", "executor")
_TYPES = {
    "Count": "whole number ≥ 1", "Natural": "whole number ≥ 0", "Positive": "number > 0",
    "NonNegative": "number ≥ 0", "Share": "number from 0 to 1",
    "Widths": "list of whole numbers ≥ 1", "int": "whole number", "float": "number",
    "FilePath": "path", "str": "text", "bool": "true or false", "None": "null",
    "Any": "anything", "dict": "mapping", "Duration": "time",
}
_BOUNDS = {"gt": ">", "ge": "≥", "lt": "<", "le": "≤"}


def listing(kind: str) -> str:
    """A line for each component, method or suite of a kind: name and summary.

    Raises:
        UnknownName: no such kind.
    """
    lines = [(name, _summary(_kind(kind), name)) for name in _all(_kind(kind))]
    width = max((len(name) for name, _ in lines), default=0)
    return "\n".join(f"{name:<{width}}  {summary}".rstrip() for name, summary in lines)


def info(name: str, kind: str | None = None) -> str:
    """Everything about one name: summary, formula, citation, options, the resolved YAML.

    The kind may be given, or stand before the name as in `model/nice`; a name alone must be that
    of one thing. Code outside the package is `path/file.py:Class`, or a suite's path.

    Raises:
        UnknownName: nothing, or more than one thing, has that name.
    """
    one, name = found(name, kind)
    if one == "method":
        return _method_text(name)
    return _suite_text(name) if one == "suite" else _component_text(describe(one, name))


def found(name: str, kind: str | None = None) -> tuple[str, str]:
    """Kind and name of the one thing that has this name, as `info` takes it.

    Raises:
        UnknownName: nothing, or more than one thing, has it.
    """
    head, slash, tail = name.partition("/")
    if kind is None and slash and f"{head.removesuffix('s')}s" in KINDS:
        kind, name = head, tail
    kinds = [kind.removesuffix("s")] if kind else [k.removesuffix("s") for k in KINDS]
    if kind:
        _kind(kind)
    having = [one for one in kinds if exists(one, name)]
    if len(having) > 1:
        raise UnknownName(
            f"'{name}' is among the {'s and the '.join(having)}s; say which: "
            f"{' or '.join(f'{one}/{name}' for one in having)}"
        )
    if not having:
        known = sorted({other for one in kinds for other in _all(one)})
        every = "model, objective, method, dataset, metric, figure, executor or suite"
        what = kind.removesuffix("s") if kind else every
        raise UnknownName(f"no {what} '{name}'{suggest(name, known)}")
    return having[0], name


# --- names -------------------------------------------------------------------------------------


def _kind(kind: str) -> str:
    if f"{kind.removesuffix('s')}s" not in KINDS:
        raise UnknownName(f"no kind '{kind}'{suggest(kind, KINDS)}")
    return kind.removesuffix("s")


def _all(kind: str) -> Iterable[str]:
    if kind == "method":
        return method_names()
    return suite_names() if kind == "suite" else available(kind)


def exists(kind: str, name: str) -> bool:
    """Whether there is such a thing of a kind (in the singular)."""
    if name in _all(kind):
        return True
    if kind == "suite" and name.endswith((".yaml", ".yml")):
        return Path(name).is_file()
    if kind not in _COMPONENTS or ":" not in name:
        return False
    try:
        describe(kind, name)
    except PluginError as error:
        if "holds no class" in str(error):
            return False  # perhaps of another kind
        raise
    return True


def _summary(kind: str, name: str) -> str:
    if kind in _COMPONENTS:
        return describe(kind, name).summary
    try:
        if kind == "method":
            entry = zoo_source(name).data
            family = entry.get("family", "")
            return f"{family + ': ' if family else ''}{_line(entry.get('summary', ''))}"
        return _line(read(find_suite(name)).data.get("title", ""))
    except GenbenchError as error:
        return f"(cannot be read: {error})"


def _line(text: Any) -> str:
    return " ".join(str(text).split())


# --- one component ------------------------------------------------------------------------------


def _component_text(component: Component) -> str:
    constants = component.constants
    parts = [f"{component.kind} {component.name}", component.doc.strip()]
    if component.module_doc.strip():
        parts.append(component.module_doc.strip())
    facts = []
    if component.kind == "model":
        facts.append(f"data: {' and '.join(constants.get('accepts', ('points', 'images')))}")
        facts.append(f"has: {', '.join(['samples', *in_words(sorted(capabilities(component)))])}")
        if constants.get("conditional"):
            facts.append("needs labels")
    elif component.kind == "objective":
        needs = [one.words for one in requirements(component)]
        facts.append(f"needs a model with: {', '.join(needs) or '–'}")
        facts.append(f"players: {', '.join(constants.get('plays', ('model',))) or 'nobody'}")
    elif component.kind == "dataset":
        facts.append(f"holds {constants.get('kind', 'points')}")
        facts += [text for key, text in (("labelled", "has labels"), ("has_modes", "has modes"))
                  if constants.get(key)]
    elif component.kind == "metric":
        facts += list(_value_lines(component))
    elif component.kind == "figure":
        facts.append(f"data: {' and '.join(constants.get('accepts', ('points', 'images')))}")
        automatic = constants.get("automatic", ())
        facts += [f"drawn unasked of: {' and '.join(automatic)}"] if automatic else []
    elif component.kind == "executor" and constants.get("package"):
        facts.append(f"needs the package {constants['package']}")
    parts += ["\n".join(facts), _options_text(component), merged([constants.get("cite", "")])]
    return "\n\n".join(part for part in parts if part)


def _value_lines(component: Component) -> Iterator[str]:
    yield f"data: {' and '.join(component.constants.get('kinds', ('points', 'images')))}"
    if component.constants.get("needs"):
        yield f"needs: {', '.join(in_words(component.constants['needs']))}"
    arrows = {"lower": "lower is better", "higher": "higher is better"}
    for name, about in component.constants.get("values", {}).items():
        facts = [about.get("title", ""), about.get("unit", ""),
                 arrows.get(about.get("better", ""), "")]
        yield f"measures {name}: {', '.join(fact for fact in facts if fact)}".rstrip(": ")


def _options_text(component: Component, values: dict[str, Any] | None = None) -> str:
    lines = ["options:"] if component.options else []
    for option in component.options:
        default = "needed" if option.required else f"default {_yaml(option.default)}"
        if values is not None and option.name in values and (
            option.required or plain(option.default) != values[option.name]
        ):
            default = f"here {_yaml(values[option.name])}, {default}"
        lines.append(f"  {option.name}: {_type_text(option.annotation)}, {default}")
        lines += textwrap.wrap(option.doc, 90, initial_indent="      ", subsequent_indent="      ")
    return "\n".join(lines)


def _type_text(annotation: str) -> str:
    def choices(match: re.Match[str]) -> str:
        return " | ".join(part.strip(" '\"") for part in match.group(1).split(","))

    bounded = re.fullmatch(r"(.*)Annotated\[(.+), Field\((.*)\)\](.*)", annotation)
    if bounded:
        before, inner, limits, after = bounded.groups()
        bounds = [
            f"{sign} {limit.strip()}" for name, sign in _BOUNDS.items()
            for limit in re.findall(rf"\b{name}=([^,]+)", limits)
        ]
        bounded_inner = f"{_type_text(inner)} {' and '.join(bounds)}".strip()
        return f"{_type_text(before)}{bounded_inner}{_type_text(after)}"
    text = re.sub(r"Literal\[([^\]]*)\]", choices, annotation)
    if text != annotation:
        return text.replace("None", "null")
    words = re.sub(r"[A-Za-z]\w*", lambda m: _TYPES.get(m.group(), m.group()), annotation)
    return words.replace(" | ", " or ")


def _yaml(value: Any) -> str:
    text = yaml.safe_dump(plain(value), default_flow_style=True, width=10_000, allow_unicode=True)
    return text.removesuffix("\n").removesuffix("\n...")


# --- one method, one suite ----------------------------------------------------------------------


def zoo_method(name: str) -> Method:
    """A method of the zoo, resolved."""
    problems = Problems(zoo_source(name))
    method = resolve_method(Row(name, name, (), {}), zoo_path(name).parent, problems)
    problems.stop()
    assert method is not None
    return method


def _method_text(name: str) -> str:
    method = zoo_method(name)
    entry = method.zoo_entry
    parts = [f"method {name}: {entry.title}".removesuffix(": "), entry.summary.strip()]
    parts += [f"family: {entry.family}"] if entry.family else []
    if entry.formula:
        parts.append(textwrap.indent(entry.formula.strip(), "    "))
    said = "settings: as published" if entry.published else f"note: {_line(entry.note)}"
    parts.append(textwrap.fill(said, 90, break_on_hyphens=False))
    style: dict[str, Any] = {"sort_keys": False, "allow_unicode": True, "width": 90}
    resolved = yaml.safe_dump(_resolved(method), default_flow_style=None, **style).strip()
    parts += [f"resolved:\n{textwrap.indent(resolved, '  ')}"]
    described = [(method.component, method.model.options)] + [
        (objective, term.objective.options) for _, objective, term in method.terms()
    ]
    for component, options in {c.name + c.kind: (c, o) for c, o in described}.values():
        text = f"{component.kind} {component.name}: {component.summary}"
        listed = _options_text(component, options)
        parts.append(f"{text}\n{listed}" if listed else text)
    parts.append(merged([entry.cite]))
    return "\n\n".join(part for part in parts if part)


def _resolved(method: Method) -> dict[str, Any]:
    """A method as a suite would write it out in full."""
    def train(terms: Iterable[TermSpec]) -> dict[str, Any]:
        return {
            term.objective.name: {"weight": term.weight, **term.objective.options}
            for term in terms
        }

    full: dict[str, Any] = {"model": {"name": method.model.name, **method.model.options}}
    if len(method.stages) == 1:
        full["train"] = train(method.stages[0].terms)
    else:
        full["stages"] = [
            {"train": train(stage.terms)}
            | ({} if entry.updates is None else {"updates": entry.updates})
            | ({} if entry.share is None else {"share": entry.share})
            for stage, entry in zip(method.stages, method.entries, strict=True)
        ]
    full["optimiser"] = _applied(method.optimiser)
    if method.optimisers:
        full["optimisers"] = {name: _applied(one) for name, one in method.optimisers.items()}
    full["ema"] = method.setting("ema")
    full["scale"] = method.setting("scale") or "auto"
    full["dequantise"] = method.setting("dequantise")
    budget = method.budget().model_dump(exclude_none=True)
    return full | ({"budget": budget} if budget else {})


def _applied(optimiser: Optimiser) -> dict[str, Any]:
    """The settings that its update rule has."""
    return {
        key: value for key, value in plain(optimiser).items()
        if optimiser.name in RULES.get(key, (optimiser.name,))
    }


def _suite_text(name: str) -> str:
    plan = load_plan(name)
    lines = [f"suite {plan.name}: {plan.title}", "", plan.suite.description.strip(), ""]
    for what, rows in (("methods", plan.methods), ("datasets", plan.datasets)):
        lines.append(f"{what}: {', '.join(rows)}")
    lines.append(f"measures: {', '.join(plan.values)}")
    seeds = sorted({run.seed for run in plan.runs})
    lines.append(f"runs: {len(plan.runs)}, seeds {', '.join(map(str, seeds))}")
    return "\n".join(lines).replace("\n\n\n", "\n")
