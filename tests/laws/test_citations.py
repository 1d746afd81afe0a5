"""One publication has one BibTeX key, title, year and venue, wherever it is cited."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

import pytest
import yaml

from genbench import lookup

FIELD = re.compile(r"(\w+)\s*=\s*\{((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\}")
ENTRY = re.compile(r"^\s*@\w+\{([\w:.-]+),$", re.M)


def citations() -> Iterator[tuple[str, str]]:
    """Every BibTeX text, with where it stands."""
    for path in sorted((lookup.ROOT / "zoo").glob("*.yaml")):
        yield path.name, yaml.safe_load(path.read_text("utf-8"))["cite"]
    for kind in lookup.KINDS:
        for name in lookup.available(kind):
            yield f"{kind} {name}", lookup.describe(kind, name).constants.get("cite", "")


def entries() -> Iterator[tuple[str, str, dict[str, str]]]:
    """Where, key and fields of every entry, white space as in print."""
    for where, text in citations():
        parts = ENTRY.split(text)[1:]
        for key, body in zip(parts[::2], parts[1::2], strict=True):
            yield where, key, {n: " ".join(v.split()) for n, v in FIELD.findall(body)}


@pytest.mark.parametrize("field", ["title", "author", "year", "venue", "url"])
def test_a_key_has_one(field: str) -> None:
    said = defaultdict(set)
    for _, key, fields in entries():
        fields["venue"] = fields.get("booktitle", fields.get("journal", ""))
        if field in fields:
            said[key].add(fields[field])
    assert len(said) > 40
    assert {key: texts for key, texts in said.items() if len(texts) > 1} == {}


def test_a_title_has_one_key() -> None:
    keys = defaultdict(set)
    for _, key, fields in entries():
        keys[re.sub(r"\W", "", fields["title"]).lower()].add(key)
    assert [found for found in keys.values() if len(found) > 1] == []
