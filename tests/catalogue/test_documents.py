"""The claims of the documents: each is there once, and is judged or says why not."""

from __future__ import annotations

import re

import pytest

from genbench.catalogue.documents import claim_of, document_claims, document_titles
from genbench.suites.plan import SHIPPED
from genbench.suites.yaml_source import read


@pytest.fixture(scope="module")
def of_suites() -> dict[str, list[dict[str, str]]]:
    """The claims of every shipped suite, by its name."""
    found = {}
    for path in sorted(SHIPPED.glob("*.yaml")):
        report = read(path).data.get("report") or {}
        found[path.stem] = list(report.get("claims") or [])
    return found


def test_every_claim_is_there_once_with_a_sentence_and_a_source() -> None:
    claims = document_claims()
    assert list(claims) == [f"K{number}" for number in range(1, 131)]
    assert len({claim.text for claim in claims.values()}) == 130
    for claim in claims.values():
        assert claim.text[0].isupper() or claim.text.startswith("ML ")
        assert not claim.text.endswith(".")
        assert any(claim.source.startswith(name) for name in document_titles())


def test_claims_of_suites_judge_a_document_or_are_named_as_our_own(
    of_suites: dict[str, list[dict[str, str]]],
) -> None:
    for suite, claims in of_suites.items():
        for claim in claims:
            known = claim_of(claim["id"]) is not None
            assert known != claim["id"].startswith("X-"), f"{suite}: {claim['id']}"
            assert not re.match(r"K\d", claim["id"]) or known, f"{suite}: {claim['id']}"


def test_what_no_suite_names_has_a_reason_and_nothing_else_has(
    of_suites: dict[str, list[dict[str, str]]],
) -> None:
    named = {
        about.id for claims in of_suites.values() for claim in claims
        if (about := claim_of(claim["id"]))
    }
    for claim in document_claims().values():
        assert (claim.id in named) != bool(claim.unjudged), (
            f"{claim.id}: a suite's claim of this name, or `unjudged` in catalogue/claims.yaml"
        )


def test_a_claim_of_a_suite_is_about_one_of_the_documents_by_its_name() -> None:
    for name in ("K10", "K10-js", "K10-a-b"):
        about = claim_of(name)
        assert about is not None
        assert about.id == "K10"
    for name in ("K100x", "K0", "K131", "X-lottery", "K10_js", "k10", "K"):
        assert claim_of(name) is None
