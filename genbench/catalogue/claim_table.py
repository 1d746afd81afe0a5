"""Claims of all suites and of the documents as one table, and where each stands."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from genbench.catalogue.documents import claim_of, document_claims
from genbench.judging.claims import ClaimVerdict
from genbench.suites.schema import Claim

NO_RESULTS = "NO RESULTS"
MIXED = "MIXED"
_NOT_JUDGED = "NOT JUDGED"
FROM_TABLE = "metrics.csv"
"""What is judged of a suite without runs: it does not say which claims these were started with."""
_DECIDED = ("CONFIRMED", "REFUTED", "NO DIFFERENCE")
STANDINGS = (*_DECIDED, MIXED, "INCONCLUSIVE", NO_RESULTS, _NOT_JUDGED)
"""What can be said of a claim over all suites."""


class ClaimRow(NamedTuple):
    """One claim in one suite, or one of the documents that no suite names.

    The fields are the table's columns.
    """

    suite: str
    """Where it is judged; empty where no suite names it."""
    claim: str
    """Its id in the suite."""
    of: str
    """The claim of the documents that it judges; empty for one of the suite's own."""
    sentence: str
    """That claim's, or the suite's own."""
    source: str
    """The documents, and where in each; empty for a claim of the suite's own."""
    statement: str
    """What the suite judges of it, in words."""
    expectation: str
    """The same as a comparison."""
    verdict: str
    """CONFIRMED, REFUTED, NO DIFFERENCE, INCONCLUSIVE, NOT JUDGED or NO RESULTS."""
    quantity: str = ""
    """What the effect is: a difference, a ratio, …; empty without."""
    effect: float | None = None
    """The size of what is compared; None where it is not one comparison."""
    low: float | None = None
    """Lower end of the 95 % confidence interval."""
    high: float | None = None
    seeds: int | None = None
    """Of the cell that has the fewest."""
    p: float | None = None
    """After Holm's correction."""
    post_hoc: bool | None = None
    """Whether it was written after a run that it rests on began; None where that is unknown."""
    evidence: str = ""
    """What the verdict rests on, or why there is none."""
    judged_from: str = ""
    """`runs`, `accepted runs` or `metrics.csv`; empty where nothing is judged."""


class Judged(NamedTuple):
    """The claims of a suite."""

    suite: str
    claims: Sequence[Claim]
    verdicts: Mapping[str, ClaimVerdict] | None
    """By id; None where the suite has no results."""
    judged_from: str = "runs"
    """As in the table."""


def claim_rows(suites: Sequence[Judged], *, documents: bool = True) -> list[ClaimRow]:
    """The table: the documents' claims in their order, then the suites' own.

    `documents` adds those that none of these suites names.
    """
    rows = [_row(one, claim) for one in suites for claim in one.claims]
    about: dict[str, list[ClaimRow]] = {name: [] for name in document_claims()}
    own = [row for row in rows if not row.of]
    for row in rows:
        if row.of:
            about[row.of].append(row)
    for name, found in about.items():
        if documents and not found:
            found.append(_unnamed(name))
    return [row for found in about.values() for row in found] + own


def _row(one: Judged, claim: Claim) -> ClaimRow:
    about, verdict = claim_of(claim.id), (one.verdicts or {}).get(claim.id)
    name, sentence, source = ("", claim.text, "") if about is None else about[:3]
    row = ClaimRow(
        one.suite, claim.id, name, sentence, source, claim.text, claim.expectation, _NOT_JUDGED,
        evidence=claim.unjudged,
    )
    if claim.unjudged:
        return row
    if verdict is None:
        return row._replace(verdict=NO_RESULTS, evidence=f"no results of {one.suite} here")
    row = row._replace(
        verdict=verdict.verdict, seeds=verdict.seeds, p=verdict.p, evidence=verdict.evidence,
        post_hoc=verdict.post_hoc,
        judged_from=one.judged_from,
    )
    if verdict.effect is not None:
        quantity, effect, low, high = verdict.effect
        row = row._replace(quantity=quantity, effect=effect, low=low, high=high)
    return row


def _unnamed(name: str) -> ClaimRow:
    about = document_claims()[name]
    return ClaimRow(
        "", name, name, about.text, about.source, "", "", _NOT_JUDGED,
        evidence=about.unjudged or "none of the suites here names it",
    )


# --- where each claim stands -------------------------------------------------------------------


def grouped(rows: Sequence[ClaimRow]) -> list[list[ClaimRow]]:
    """The rows by the documents' claim, and each of the suites' own by itself."""
    groups: dict[tuple[str, ...], list[ClaimRow]] = {}
    for row in rows:
        groups.setdefault((row.of,) if row.of else ("", row.suite, row.claim), []).append(row)
    return list(groups.values())


def standing(rows: Sequence[ClaimRow]) -> str:
    """Where a claim stands over the suites that name it.

    Within a suite all of its parts must hold, and one that is refuted refutes it. Over suites a
    verdict counts before INCONCLUSIVE, and verdicts that differ are MIXED.
    """
    by_suite: dict[str, set[str]] = {}
    for row in rows:
        by_suite.setdefault(row.suite, set()).add(row.verdict)
    found = {_together(verdicts) for verdicts in by_suite.values()}
    decided = found.intersection(_DECIDED)
    if len(decided) > 1:
        return MIXED
    return next(one for one in STANDINGS if one in (decided or found))


def _together(verdicts: set[str]) -> str:
    """The verdict on a claim of several parts."""
    told = verdicts - {_NOT_JUDGED} or verdicts
    order = ("REFUTED", "INCONCLUSIVE", NO_RESULTS, "NO DIFFERENCE", "CONFIRMED", _NOT_JUDGED)
    return next(one for one in order if one in told)


def counts(rows: Sequence[ClaimRow], *, own: bool = False) -> dict[str, int]:
    """Standing → how many claims of the documents, or of the suites' own, have it."""
    found = Counter(standing(group) for group in grouped(rows) if bool(group[0].of) != own)
    return {one: found[one] for one in STANDINGS}
