"""Checking plain data against a pydantic model, in words that a user of a suite understands."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, TypeVar, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from genbench.lookup import suggest

Fault = tuple[tuple[str | int, ...], str]
"""Where in the checked value, and what is wrong there."""

M = TypeVar("M", bound=BaseModel)

_EXPECTED = {
    "int_type": "a whole number", "int_parsing": "a whole number",
    "int_from_float": "a whole number", "int_parsing_size": "a whole number below 2⁶³",
    "float_type": "a number", "float_parsing": "a number", "finite_number": "a finite number",
    "bool_type": "true or false", "bool_parsing": "true or false", "string_type": "text",
    "list_type": "a list", "tuple_type": "a list", "dict_type": "a mapping",
    "mapping_type": "a mapping", "model_type": "a mapping", "none_required": "null",
    "model_attributes_type": "a mapping", "string_sub_type": "text", "set_type": "a list",
    "string_pattern_mismatch": "one line of text",
}
_BOUNDS = {
    "greater_than": ("gt", "a number > "), "greater_than_equal": ("ge", "a number ≥ "),
    "less_than": ("lt", "a number < "), "less_than_equal": ("le", "a number ≤ "),
    "multiple_of": ("multiple_of", "a multiple of "),
}
_LENGTHS = {
    "too_short": ("min_length", "at least"), "too_long": ("max_length", "at most"),
    "string_too_short": ("min_length", "at least"), "string_too_long": ("max_length", "at most"),
}
_KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}


def check(model: type[M], value: Any) -> tuple[M | None, list[Fault]]:
    """The value as a `model`, or None and what is wrong with it.

    Unlike pydantic's lax mode, text is never taken for a number, nor a number for a boolean.
    """
    if not isinstance(value, Mapping):
        return None, [((), f"expected a mapping, got {shown(value)}")]
    try:
        checked = model.model_validate(value)
    except ValidationError as error:
        return None, faults(model, error, value)
    except (RecursionError, OverflowError) as error:  # absurd values in a user's own types
        return None, [((), f"{type(error).__name__}: {error}")]
    wrong = list(_changed(value, checked, ()))
    return (None, wrong) if wrong else (checked, [])


def shown(value: Any) -> str:
    """A value as an error message quotes it."""
    if value is None:
        return "nothing (null)"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "a mapping"
    text = repr(value)
    return text if len(text) <= 50 else f"{text[:47]}..."


def plain(value: Any) -> Any:
    """Checked values as YAML and JSON know them: tuples become lists, models mappings."""
    if isinstance(value, BaseModel):
        return {name: plain(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [plain(item) for item in value]
    return value


def faults(model: type[BaseModel], error: ValidationError, value: Any) -> list[Fault]:
    """One fault for each place; what several branches of a union expected is joined by 'or'."""
    places: dict[tuple[str | int, ...], list[ErrorDetails]] = {}
    for detail in error.errors(include_url=False, include_context=True):
        loc = detail["loc"]
        place = _within(value, loc)
        if detail["type"] == "missing":
            place = (*place, loc[-1])
        places.setdefault(place, []).append(detail)
    faults: list[Fault] = []
    for place, details in places.items():
        if any(detail["type"] in ("extra_forbidden", "missing") for detail in details):
            faults.append(_key_fault(model, place, details[0], _at(value, place[:-1])))
            continue
        expected = list(dict.fromkeys(_expected(detail) for detail in details))
        got = _at(value, place)
        text = f"expected {' or '.join(expected)}, got {shown(got)}"
        choices = _quoted(str(details[0].get("ctx", {}).get("expected", "")))
        if details[0]["type"] == "literal_error" and isinstance(got, str):
            hint = "; write it without quotes" if got in choices else suggest(got, choices)
            text += "" if hint.startswith("; there") else hint
        faults.append((place, text))
    # what another branch of a union expected says nothing once one was entered
    kept = dict.fromkeys(fault for fault in faults if not _outdone(fault, faults))
    return sorted(kept, key=lambda fault: fault[1].endswith("is missing"))


def _outdone(fault: Fault, faults: Sequence[Fault]) -> bool:
    """Whether another fault lies within the place at which this one expected something else."""
    place, text = fault
    return text.startswith("expected") and any(
        other[: len(place)] == place
        and (len(other) > len(place) or not words.startswith("expected"))
        for other, words in faults
    )


def _key_fault(
    model: type[BaseModel], place: tuple[Any, ...], detail: ErrorDetails, beside: Any
) -> Fault:
    """A key that is unknown or missing; `beside` is the mapping that has it, or has it not."""
    key = str(place[-1]) if place else ""
    owner = _owner(model, place[:-1])
    known = [field.alias or name for name, field in owner.model_fields.items()] if owner else []
    if detail["type"] == "missing":
        for other in beside if isinstance(beside, Mapping) else ():
            hint = suggest(str(other), [key])
            if other not in known and "did you mean" in hint:
                return (*place[:-1], other), f"unknown option '{other}'{hint}"
        return place[:-1], f"'{key}' is missing"
    hint = suggest(key, known) or "; it takes no options"
    if key == "<<":
        hint = "; mappings are not merged, and an alias stands for a whole value: write it out"
    inner = owner and next((n for n in owner.model_fields if key in _options_in(owner, n)), None)
    if inner and "did you mean" not in hint:
        hint = f"; it is one of '{inner}': write {inner}: {{{key}: …}}"
    return place, f"unknown option '{key}'{hint}"


def _owner(model: type[BaseModel], place: Sequence[str | int]) -> type[BaseModel] | None:
    """The model of what stands at a place, as far as the way there leads through models."""
    for part in place:
        if isinstance(part, int):
            continue
        if part not in model.model_fields:
            continue  # the key of a mapping
        inner = _inner_model(model, part)
        if inner is None:
            return None
        model = inner
    return model


def _options_in(model: type[BaseModel], field: str) -> Mapping[str, Any]:
    """The fields of a field that is itself a model (and no list or mapping of them)."""
    annotation = model.model_fields[field].annotation
    for part in (annotation, *getattr(annotation, "__args__", ())):
        if isinstance(part, type) and issubclass(part, BaseModel):
            return part.model_fields if get_origin(annotation) not in (list, dict) else {}
    return {}


@cache
def _inner_model(model: type[BaseModel], field: str) -> type[BaseModel] | None:
    waiting = [model.model_fields[field].annotation]
    while waiting:
        annotation = waiting.pop()
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            return annotation
        waiting.extend(getattr(annotation, "__args__", ()))
    return None


def _expected(detail: ErrorDetails) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind in _EXPECTED:
        return _EXPECTED[kind]
    if kind in _BOUNDS:
        key, text = _BOUNDS[kind]
        bound = context.get(key)
        return text + (f"{bound:,}" if isinstance(bound, int) else f"{bound:g}")
    if kind in _LENGTHS:
        key, text = _LENGTHS[kind]
        return f"{text} {context.get(key)} of them"
    if kind == "literal_error":
        return f"one of {', '.join(_quoted(str(context.get('expected', ''))))}"
    if kind == "missing_argument":
        return "more values"
    message = str(detail["msg"])
    return message.removeprefix("Input should be ").removeprefix("Value error, ")


def _quoted(expected: str) -> list[str]:
    return expected.replace("'", "").replace(" or ", ", ").split(", ")


def _within(value: Any, loc: Sequence[str | int]) -> tuple[str | int, ...]:
    """The part of an error's location that leads through the value (unions add labels to it)."""
    place: list[str | int] = []
    for part in loc:
        inside = (isinstance(value, Mapping) and part in value) or (
            isinstance(value, list) and isinstance(part, int) and part < len(value)
        )
        if inside:
            value = value[part]
            place.append(part)
    return tuple(place)


def _at(value: Any, place: Sequence[str | int]) -> Any:
    for part in place:
        value = value[part]
    return value


def _changed(given: Any, checked: Any, place: tuple[str | int, ...]) -> list[Fault]:
    """Where pydantic turned text into a number, or a number into a boolean."""
    if isinstance(given, Mapping):
        faults = []
        for key, item in given.items():
            if isinstance(checked, BaseModel):
                inner = getattr(checked, key, item)
            else:
                inner = checked.get(key, item) if isinstance(checked, Mapping) else item
            faults += _changed(item, inner, (*place, key))
        return faults
    if isinstance(given, list) and isinstance(checked, list | tuple):
        pairs = zip(given, checked, strict=False)
        return [f for i, (a, b) in enumerate(pairs) for f in _changed(a, b, (*place, i))]
    if isinstance(checked, int) and abs(checked) >= 2**63:  # more than torch and NumPy can hold
        return [(place, f"expected a whole number below 2⁶³, got {shown(given)}")]
    numbers = isinstance(given, int | float) and isinstance(checked, int | float)
    same = isinstance(given, bool) == isinstance(checked, bool) if numbers else (
        isinstance(given, str) == isinstance(checked, str)
    )
    if same or type(checked) not in _KINDS:
        return []
    return [(place, f"expected {_KINDS[type(checked)]}, got {shown(given)}")]
