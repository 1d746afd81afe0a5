"""BibTeX: what a part, a method or a suite's row is cited by.

A `cite` holds BibTeX entries, or keys of references.bib with spaces between them.
"""

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from genbench.errors import GenbenchError


@cache
def references() -> dict[str, str]:
    """The entries of references.bib by their keys."""
    text = (Path(__file__).parent / "references.bib").read_text(encoding="utf-8")
    return {_key(entry): entry for entry in _split(text)}


def entries(cite: str) -> list[str]:
    """The BibTeX entries that a `cite` holds or names.

    Raises:
        GenbenchError: neither BibTeX nor a key of references.bib.
    """
    if "@" in cite:
        return _split(cite)
    if unknown := [key for key in cite.split() if key not in references()]:
        raise GenbenchError(
            f"cite: '{unknown[0]}' is no key of genbench's references; write a BibTeX entry, "
            "@article{key, title = {...}, ...}"
        )
    return [references()[key] for key in cite.split()]


def merged(cites: Iterable[str]) -> str:
    """The entries of these, once each, sorted by their keys."""
    found: dict[str, str] = {}
    for entry in (entry for cite in cites for entry in entries(cite)):
        found.setdefault(_key(entry), entry)
    return "\n\n".join(found[key] for key in sorted(found))


def _split(text: str) -> list[str]:
    parts = re.split(r"^(?=[ \t]*@)", text, flags=re.MULTILINE)
    return [part.strip() for part in parts if part.strip().startswith("@")]


def _key(entry: str) -> str:
    match = re.match(r"@\w+\s*\{\s*([^,\s]+)", entry)
    return match.group(1) if match else entry
