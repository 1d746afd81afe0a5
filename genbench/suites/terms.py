"""What a method minimises, in its short forms: a name, {name: weight or options}, or a list."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from genbench.lookup import spelled
from genbench.suites.identity import known_part
from genbench.suites.problems import Path, Problems
from genbench.suites.typed import shown


@dataclass(frozen=True)
class RawTerm:
    """One objective of a sum, as it is written."""

    name: str
    weight: float | None
    options: Mapping[str, Any]
    path: Path

    def over(self, base: RawTerm | None) -> RawTerm:
        """This term as a change of the same objective in the zoo's method."""
        if base is None:
            return self
        weight = base.weight if self.weight is None else self.weight
        return RawTerm(self.name, weight, {**base.options, **self.options}, self.path)


def read_terms(value: Any, path: Path, problems: Problems) -> list[RawTerm]:
    """The terms of `train`, in order; the problems are noted."""
    terms: list[RawTerm] = []
    if isinstance(value, str):
        terms.append(RawTerm(value, None, {}, path))
    elif isinstance(value, Mapping):
        for name, content in value.items():
            term = _term(name, content, (*path, name), problems)
            if term is not None:
                terms.append(term)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            if isinstance(item, list):
                problems.add((*path, index), "a list within the list of objectives")
            else:
                terms += read_terms(item, (*path, index), problems)
    else:
        problems.add(path, f"expected an objective's name, {{objective: weight}} or a list of "
                           f"those, got {shown(value)}")
        return []
    if not terms and not problems.found:
        problems.add(path, "there is no objective here")
    names = [term.name for term in terms]
    for name in sorted({name for name in names if names.count(name) > 1}):
        problems.add(path, f"objective '{name}' is there twice; add its weights up")
    return terms


def _term(name: str, content: Any, path: Path, problems: Problems) -> RawTerm | None:
    if content is None:
        return RawTerm(name, None, {}, path)
    weight, options = content, {}
    if isinstance(content, Mapping):
        weight = content.get("weight")
        options = {key: item for key, item in content.items() if key != "weight"}
        if part := known_part("objective", name):
            options = spelled(part, options)
        if weight is None:
            return RawTerm(name, None, options, path)
    number = isinstance(weight, int | float) and not isinstance(weight, bool)
    if not number or not math.isfinite(weight):
        expected = "a finite weight" if isinstance(content, Mapping) else "a weight or options"
        problems.add(path, f"expected {expected}, got {shown(weight)}")
        return None
    return RawTerm(name, float(weight), options, path)
