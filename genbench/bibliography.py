"""BibTeX: what a part, a method or a suite's row is cited by.

A `cite` holds BibTeX entries, or keys of references.bib with spaces between them.
"""

import re
from collections.abc import Iterable
from functools import cache
from itertools import accumulate
from pathlib import Path

from genbench.errors import GenbenchError

_FORM = "@article{key, title = {...}, ...}"
_HEAD = re.compile(r"@(\w+)\s*\{")
_FIELD = re.compile(r'[^\s="#]+\s*=\s*[^\s="#]+(\s*#\s*[^\s="#]+)*')
_NO_FIELDS = ("comment", "preamble", "string")


@cache
def references() -> dict[str, str]:
    """The entries of references.bib by their keys."""
    text = (Path(__file__).parent / "references.bib").read_text(encoding="utf-8")
    return {_key(entry): entry for entry in _split(text)}


def entries(cite: str) -> list[str]:
    """The BibTeX entries that a `cite` holds or names.

    Raises:
        GenbenchError: neither BibTeX nor a key of references.bib; what is wrong with it.
    """
    if "@" in cite:
        return _split(cite)
    if unknown := [key for key in cite.split() if key not in references()]:
        raise GenbenchError(
            f"cite: '{unknown[0]}' is no key of genbench's references; write a BibTeX entry, "
            f"{_FORM}"
        )
    return [references()[key] for key in cite.split()]


def merged(cites: Iterable[str]) -> str:
    """The entries of these, once each, sorted by their keys."""
    found: dict[str, str] = {}
    for entry in (entry for cite in cites for entry in entries(cite)):
        found.setdefault(_key(entry), entry)
    return "\n\n".join(found[key] for key in sorted(found))


def _split(text: str) -> list[str]:
    """The entries of BibTeX, and of nothing else but lines that begin with `%`."""
    found: list[str] = []
    rest = re.sub(r"^[ \t]*%.*$", "", text, flags=re.MULTILINE).strip()
    while rest:
        head = _HEAD.match(rest)
        if head is None:
            raise GenbenchError(f"cite: expected {_FORM}, not '{_begun(rest)}'")
        depths = accumulate({"{": 1, "}": -1}.get(letter, 0) for letter in rest[head.end() - 1:])
        end = next((place for place, depth in enumerate(depths, head.end()) if depth == 0), 0)
        if not end:
            raise GenbenchError(f"cite: a brace of '{_begun(rest)}' is never closed")
        found.append(rest[:end])
        if head[1].lower() not in _NO_FIELDS:
            _check(rest[:end], rest[head.end():end - 1])
        rest = rest[end:].strip()
    return found


def _check(entry: str, inner: str) -> None:
    """Refuse an entry whose inner part is not a key and fields."""
    before = ""
    while inner != before:
        before, inner = inner, re.sub(r"\{[^{}]*\}", "0", inner)
    key, *fields = re.sub(r'"[^"]*"', "0", inner).split(",")
    if not re.fullmatch(r'[^\s="#]+', key.strip()):
        raise GenbenchError(f"cite: '{_begun(entry)}' has no key; {_FORM}")
    for field in [*fields[:-1], *filter(str.strip, fields[-1:])]:
        if not _FIELD.fullmatch(field.strip()):
            name = field.split("=")[0].strip()
            raise GenbenchError(f"cite: in '{_begun(entry)}', '{name}' is no field, "
                                "name = {value} with a comma before the next")


def _begun(text: str) -> str:
    """How an entry begins."""
    first = text.splitlines()[0].strip()
    return first if len(first) <= 40 else f"{first[:39]}…"


def _key(entry: str) -> str:
    match = re.match(r"@\w+\s*\{\s*([^,\s]+)", entry)
    return match.group(1) if match else entry
