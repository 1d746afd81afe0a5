"""What the documents behind the suites claim, and where: `claims.yaml`."""

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

import yaml

_FILE = Path(__file__).with_name("claims.yaml")


class DocumentClaim(NamedTuple):
    """A sentence of one or several documents."""

    id: str
    """K and a number."""
    text: str
    source: str
    """The documents, and where in each."""
    unjudged: str
    """Why no suite judges it; empty where a suite names it."""


@cache
def document_claims() -> dict[str, DocumentClaim]:
    """Every claim of the documents, by id and in order."""
    data = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    names = {key: about["name"] for key, about in data["documents"].items()}
    return {
        name: DocumentClaim(
            name, one["text"],
            "; ".join(f"{names[key]}, {place}" for key, place in one["sources"].items()),
            one.get("unjudged", ""),
        )
        for name, one in data["claims"].items()
    }


def document_titles() -> dict[str, str]:
    """How sources name the documents → author, title and place."""
    data = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    return {about["name"]: about["title"] for about in data["documents"].values()}


def claim_of(name: str) -> DocumentClaim | None:
    """What a suite's claim of this name judges: K10 for `K10` and `K10-js`, None for its own."""
    found = re.fullmatch(r"(K\d+)(?:-.+)?", name)
    return document_claims().get(found[1]) if found else None
