"""Every publication stands once in references.bib, and all that cites one names an entry."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
import yaml

from genbench import lookup
from genbench.bibliography import entries, merged, references
from genbench.errors import GenbenchError

FIELD = re.compile(r"(\w+)\s*=\s*\{((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\}")
FILE = (lookup.ROOT / "references.bib").read_text("utf-8")
ZOO = {
    path.name: yaml.safe_load(path.read_text("utf-8"))["cite"]
    for path in sorted((lookup.ROOT / "zoo").glob("*.yaml"))
}
PARTS = {
    f"{kind} {name}": lookup.describe(kind, name)
    for kind in lookup.KINDS for name in lookup.available(kind)
}


def fields(entry: str) -> dict[str, str]:
    return {name: " ".join(value.split()) for name, value in FIELD.findall(entry)}


@pytest.mark.parametrize("key", references())
def test_an_entry_is_whole(key: str) -> None:
    entry = references()[key]
    assert re.match(rf"@\w+\{{{key},\n", entry)
    assert entry.count("{") == entry.count("}")
    assert all(fields(entry).get(name) for name in ("title", "author", "year"))


def test_keys_and_titles_are_there_once_and_in_order() -> None:
    keys = re.findall(r"^@\w+\{([^,]+),", FILE, re.M)
    assert keys == sorted(set(keys)) == list(references())
    titles = Counter(re.sub(r"\W", "", fields(one)["title"]).lower() for one in entries(FILE))
    assert titles.most_common(1)[0][1] == 1


def test_no_entry_is_cited_by_nothing() -> None:
    cites = [*ZOO.values(), *(part.constants.get("cite", "") for part in PARTS.values())]
    assert {key for cite in cites for key in cite.split()} == set(references())


@pytest.mark.parametrize("name", ZOO)
def test_a_method_cites_a_publication(name: str) -> None:
    assert entries(ZOO[name])


@pytest.mark.parametrize("name", [name for name in PARTS if "cite" in PARTS[name].constants])
def test_a_part_cites_what_is_there(name: str) -> None:
    assert entries(PARTS[name].constants["cite"])


@pytest.mark.parametrize("name", [
    name for name, part in PARTS.items()
    if re.search(r"arXiv:\d|doi:\d|https://", part.module_doc)
])
def test_a_part_whose_page_names_a_paper_cites_one(name: str) -> None:
    assert PARTS[name].constants.get("cite")


def test_entries_of_ones_own_stand_beside_keys() -> None:
    own = "@misc{me2026, title = {Mine}}"
    assert merged([own, "dinh2014nice", "dinh2014nice"]).split("\n\n") == [
        references()["dinh2014nice"], own,
    ]
    with pytest.raises(GenbenchError, match="'dinh2015' is no key of genbench's references"):
        entries("dinh2015")


@pytest.mark.parametrize("cite", [
    "@misc{a}", '@Misc { a, title = "x {y} z" # jan, year = 2020, }',
    "% a remark, @misc{\n@misc{a, title={{A} b}}@string{jan = 3}\n@misc{b,\n t={Schr{\\\"o}}}",
])
def test_bibtex_of_ones_own_is_kept_as_it_is(cite: str) -> None:
    assert "".join(entries(cite)) in cite.replace("}\n@", "}@")


@pytest.mark.parametrize(("cite", "says"), [
    ("@article{a, title={x}", "a brace of '@article{a, title={x}' is never closed"),
    ("@article{a title=x}", "has no key"), ("@article{, title={x}}", "has no key"),
    ("@misc{a, title={x} author={y}}", "'title' is no field"),
    ('@misc{a, title="x}', "'title' is no field"), ("@misc{a, title}", "'title' is no field"),
    ("see @misc{a, title={x}}", "not 'see @misc"), ("@misc{a, title={x}} }", "not '}'"),
    ("me@here", "not 'me@here'"), ("@article", "not '@article'"),
])
def test_malformed_bibtex_is_refused(cite: str, says: str) -> None:
    with pytest.raises(GenbenchError, match=re.escape(says)):
        entries(cite)


def test_the_file_comes_with_the_package() -> None:
    assert (Path(lookup.__file__).parent / "references.bib").is_file()
