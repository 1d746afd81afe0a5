"""No option is silent: what tries the options of every component, one kind in each file here.

An option is tried by each of its other values, alone and beside one other value of another
option, on every ground that is named (a model, a data set). Some trial must come out otherwise
than the same without it, or every other value must be refused by a line that names the option.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest
import torch
from pydantic import ValidationError

from genbench import lookup
from genbench.errors import GenbenchError

State = Mapping[str, Any]
Make = Callable[[Mapping[str, Any]], State]
"""All that the options decide on some ground, by name."""


class Options:
    """How a law tries options; the fixture `options` is one of these."""

    def __init__(self) -> None:
        self.known: dict[tuple[str, str, str], tuple[str, str]] = {}

    def silent(
        self, component: lookup.Component, name: str, grounds: Mapping[str, Make],
        more: Mapping[str, Sequence[Any]] | None = None,
    ) -> str:
        """Why the option counts as silent, or nothing where it acts or is refused.

        `more` are values of options whose type does not say which there are.
        """
        choices = {
            option.name: self.values(component, option.name, more or {})
            for option in component.options
        }
        if not choices[name]:
            return f"{name}: no other value is known; name some"
        seen: list[str] = []
        compared = False
        for beside, place in _besides(choices, name, grounds):
            before = self._tried(component, place, grounds[place], beside, seen)
            for value in choices[name] if before else ():
                mine = {**beside, name: value}
                after = self._tried(component, place, grounds[place], mine, seen)
                if after and after != before:
                    return ""
                compared = compared or bool(after)
        found = "\n  ".join(dict.fromkeys(seen))
        if compared:
            return f"{name}: no value changes anything; what was refused:\n  {found}"
        alone = [f"{ {name: value} }: " for value in choices[name]]
        refused = [why for why in seen if why.startswith(tuple(alone))]
        if len(set(alone)) <= len(refused) and all(_names(name, why) for why in refused):
            return ""
        return f"{name}: nothing could be tried:\n  {found}"

    def values(
        self, component: lookup.Component, name: str, more: Mapping[str, Sequence[Any]]
    ) -> list[Any]:
        """Other values that an option may have, those of `more` where it has any."""
        option = next(option for option in component.options if option.name == name)
        return list(_values(component, option, more.get(name)))

    def _tried(
        self, component: lookup.Component, place: str, make: Make, options: Mapping[str, Any],
        seen: list[str],
    ) -> str:
        """A digest of what came out; nothing, and a line in `seen`, where it was refused."""
        key = component.name, place, repr(sorted(options.items()))
        if key not in self.known:
            try:
                self.known[key] = _digest(make(options)), ""
            except GenbenchError as refusal:
                self.known[key] = "", f"{dict(options)}: {refusal}"
        found, why = self.known[key]
        seen += [why] if why else []
        return found


def _digest(state: State) -> str:
    parts = []
    for name, value in state.items():
        if isinstance(value, torch.Tensor):  # a zero is a zero, whatever its sign
            plain = value.detach().cpu().nan_to_num(7) + torch.zeros((), dtype=value.dtype)
            value = (plain.dtype, plain.shape, plain.contiguous().numpy().tobytes())
        parts.append(f"{name}={value!r}")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _names(option: str, why: str) -> bool:
    return re.search(rf"\b{option}\b", why.partition("}: ")[2]) is not None


def _besides(
    choices: Mapping[str, Sequence[Any]], own: str, grounds: Mapping[str, Any]
) -> Iterator[tuple[Mapping[str, Any], str]]:
    """What to try an option beside, and where: nothing, then other options, cheap places first."""
    yield from (({}, place) for place in grounds)
    for place in grounds:
        for name, others in choices.items():
            if name != own:
                yield from (({name: value}, place) for value in others)


def _values(
    component: lookup.Component, option: lookup.Option, named: Sequence[Any] | None
) -> Iterator[Any]:
    """Other values of the option's own type."""
    model = lookup.options_model(component)
    for value in _guesses(option.annotation, option.default) if named is None else named:
        try:
            model.__pydantic_validator__.validate_assignment(
                model.model_construct(), option.name, value
            )
        except ValidationError:
            continue
        if value != option.default:
            yield value


def _guesses(annotation: str, default: Any) -> Iterator[Any]:
    for literal in re.findall(r"Literal\[([^\]]*)\]", annotation):
        yield from re.findall(r"['\"]([^'\"]+)['\"]", literal)
        yield from map(int, re.findall(r"\b\d+\b", literal))
        return
    if annotation.startswith("bool"):
        yield from (True, False)
    elif "Widths" in annotation or isinstance(default, list):
        yield from ([5], [2, 2])
    elif any(word in annotation for word in ("Count", "Natural", "int")):
        yield from (1, 2, 5, 0)
    elif any(word in annotation for word in ("Positive", "NonNegative", "Share", "float")):
        yield from (0.7, 0.01, 3.0, 0.0)


@pytest.fixture(scope="session")
def laws(laws: Any) -> Any:
    """What is tried here is not made small."""
    return type(laws)(as_given=True)


@pytest.fixture(scope="session")
def options() -> Options:
    return Options()
