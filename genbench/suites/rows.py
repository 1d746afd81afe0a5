"""Rows of a suite (datasets, methods, metrics) in their short forms, and grids over options."""

import itertools
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from genbench.suites.problems import Path, Problems
from genbench.suites.typed import shown

MAX_ROWS = 500
"""The rows that one grid may expand to."""

_MARKS = "_ . + - = ( ) @ :"
"""What a row's name may hold beside letters (with their accents), digits and blanks."""


@dataclass(frozen=True)
class Row:
    """A named row and what it says; `base` is its name before a grid expanded it."""

    name: str
    base: str
    path: Path
    entry: Mapping[str, Any]


def read_rows(value: Any, path: Path, what: str, problems: Problems) -> list[Row]:
    """The rows of a list of names and single-key mappings, or of a mapping."""
    found: list[Row] = []
    names: set[str] = set()
    for key, entry, where in _pairs(value, path, what, problems):
        name = key.rpartition(":")[2] if ":" in key and what != "metric" else key
        if ":" in key and entry.get("use", key) == key and what != "metric":
            entry = {"use": key, **entry}
        if what != "metric" and (odd := _odd(name)):
            problems.add(where, f"'{name}' cannot name a row: it holds {odd}, and a name is made "
                                f"of letters, digits, blanks and {_MARKS}")
        elif what != "metric" and name in names:
            problems.add(where, f"{what} row '{name}' is there already; give it a name of its own "
                                "as {row: {use: …}}")
        else:
            names.add(name)
            found.append(Row(name, name, where, entry))
    if not found and not problems.found:
        problems.add(path, f"there is no {what} here")
    return found


def _odd(name: str) -> str:
    """The first character that no row's name may hold, quoted; empty where there is none."""
    for letter in name:
        accent = unicodedata.category(letter).startswith("M")
        if not (letter.isalnum() or letter in _MARKS or accent):
            return repr(letter)
    return "" if name.strip() else "nothing"


def _pairs(
    value: Any, path: Path, what: str, problems: Problems
) -> Iterator[tuple[str, Mapping[str, Any], Path]]:
    if isinstance(value, str):
        value = [value]
    if isinstance(value, Mapping):
        items: list[tuple[Any, Any, Path]] = [(k, v, (*path, k)) for k, v in value.items()]
    elif isinstance(value, list):
        items = []
        for index, item in enumerate(value):
            where = (*path, index)
            if isinstance(item, str):
                items.append((item, None, where))
            elif isinstance(item, Mapping) and len(item) == 1:
                items += [(k, v, (*where, k)) for k, v in item.items()]
            else:
                problems.add(where, f"expected the name of a {what}, or {{name: options}}, "
                                    f"got {_count(item)}")
    else:
        problems.add(path, f"expected a list or a mapping of {what} rows, got {shown(value)}")
        return
    for key, entry, where in items:
        if entry is None:
            entry = {}
        if isinstance(entry, Mapping):
            yield key, entry, where
        else:
            problems.add(where, f"expected a mapping of options, got {shown(entry)}")


def _count(item: Any) -> str:
    return f"a mapping of {len(item)} keys" if isinstance(item, Mapping) else shown(item)


def expand_grids(row: Row, problems: Problems) -> list[Row]:
    """A row for each combination of the grids in it, or the row itself where there is none."""
    before = len(problems.found)
    grids = list(_grids(row.entry, (), row.path, problems))
    if len(problems.found) > before:
        return []
    if not grids:
        return [row]
    total = 1
    for _, values in grids:
        total *= len(values)
    if total > MAX_ROWS:
        problems.add(row.path, f"the grids make {total} rows; at most {MAX_ROWS} are allowed")
        return []
    labels = _labels([place for place, _ in grids])
    rows = []
    for choice in itertools.product(*(values for _, values in grids)):
        entry: Any = row.entry
        for (place, _), value in zip(grids, choice, strict=True):
            entry = _replace(entry, place, value)
        inside = ",".join(
            f"{label}={_label(value)}" for label, value in zip(labels, choice, strict=True)
        )
        rows.append(Row(f"{row.name}[{inside}]", row.base, row.path, entry))
    names = [other.name for other in rows]
    for name in names:
        if names.count(name) > 1:
            problems.add(row.path, f"the grid holds the same value twice: {name}")
            return []
    return rows


def _grids(
    value: Any, place: Path, base: Path, problems: Problems
) -> Iterator[tuple[Path, list[Any]]]:
    if isinstance(value, Mapping):
        if set(value) == {"grid"} and place:
            values = value["grid"]
            if not isinstance(values, list) or not values:
                problems.add((*base, *place), f"expected {{grid: [a, b, …]}}, got "
                                              f"{shown(values)} for the grid")
            else:
                yield place, values
            return
        for key, item in value.items():
            yield from _grids(item, (*place, key), base, problems)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _grids(item, (*place, index), base, problems)


def _labels(places: list[Path]) -> list[str]:
    """The shortest ends of dotted paths that tell them apart."""
    texts = [[str(part) for part in place] for place in places]
    labels = []
    for text in texts:
        length = 1
        while length < len(text) and sum(t[-length:] == text[-length:] for t in texts) > 1:
            length += 1
        labels.append(".".join(text[-length:]))
    return labels


def _label(value: Any) -> str:
    if isinstance(value, str):
        text = value.rpartition("/")[2]
    elif isinstance(value, list):
        text = "x".join(_label(item) for item in value)
    elif isinstance(value, Mapping):
        text = " ".join(f"{key}:{_label(item)}" for key, item in value.items())
    else:
        text = json.dumps(value)
    return re.sub(r"[\[\],/\\\x00-\x1f]", "_", text)


def _replace(value: Any, place: Path, new: Any) -> Any:
    if not place:
        return new
    if isinstance(value, list):
        return [
            _replace(item, place[1:], new) if index == place[0] else item
            for index, item in enumerate(value)
        ]
    return {
        key: _replace(item, place[1:], new) if key == place[0] else item
        for key, item in value.items()
    }
