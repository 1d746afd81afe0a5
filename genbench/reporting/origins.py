"""Where the runs of a report were made, and the rows whose seeds differ in that."""

from collections.abc import Sequence
from typing import NamedTuple

from genbench.store.acceptance import Acceptance
from genbench.store.provenance import TELLING, Facts, facts, provenance_history
from genbench.store.runs import Store
from genbench.suites.plan import Plan
from genbench.text.markdown import seed_list


class Origin(NamedTuple):
    """The facts of one run."""

    method: str
    dataset: str
    seed: int
    facts: Facts
    claims: frozenset[str] | None = None
    """The marks of the suite's claims when the run first began; None where it did not say."""
    acceptance: Acceptance | None = None
    """When and where it was accepted, where it was read from an accepted archive."""


def origins_of(plan: Plan, store: Store) -> list[Origin]:
    """What is known of every run that began.

    Raises:
        StoreError: a damaged record; which one.
    """
    found = []
    # by the file's hash: most runs of a suite share theirs
    known: dict[str | None, tuple[Facts, frozenset[str] | None]] = {}
    for spec in plan.runs:
        folder = store.run(spec.id)
        mark = folder.sealed_sum("provenance.json")
        if mark is None or mark not in known:
            told = provenance_history(folder.provenance())
            claims = told[0].get("claims") if told else None
            known[mark] = facts(told), None if claims is None else frozenset(claims)
        if known[mark][0]:
            row = (spec.method, spec.dataset, spec.seed)
            found.append(Origin(*row, *known[mark], folder.acceptance()))
    return found


def planned_claims(
    origins: Sequence[Origin],
) -> dict[tuple[str, str], list[frozenset[str] | None]]:
    """(Row, dataset) → the claims that each of its runs was started with; None if unknown."""
    found: dict[tuple[str, str], list[frozenset[str] | None]] = {}
    for origin in origins:
        found.setdefault((origin.method, origin.dataset), []).append(origin.claims)
    return found


def withdrawn(plan: Plan, origins: Sequence[Origin]) -> int:
    """How many comparisons runs were started for that the suite does not claim now."""
    begun = frozenset[str]().union(*(origin.claims or () for origin in origins))
    return len(begun.difference(plan.claim_marks))


def mixed_rows(origins: Sequence[Origin]) -> dict[tuple[str, str], str]:
    """(Row, dataset) → in what its seeds differ, for those of which some do."""
    by_row: dict[tuple[str, str], list[Origin]] = {}
    for origin in origins:
        by_row.setdefault((origin.method, origin.dataset), []).append(origin)
    texts = {key: _differences(row) for key, row in by_row.items()}
    return {key: text for key, text in texts.items() if text}


def _differences(row: Sequence[Origin]) -> str:
    parts = []
    for name in TELLING:
        seeds: dict[str, list[int]] = {}
        for origin in row:
            on_cpu = any(d.startswith("cpu") for d in origin.facts.get("device", ()))
            if on_cpu or name not in ("CPU", "threads"):
                value = ", then ".join(origin.facts.get(name, ["unknown"]))
                seeds.setdefault(value, []).append(origin.seed)
        if len(seeds) > 1:
            parts.append(f"{name} " + ", ".join(
                f"{value} ({seed_list(of)})" for value, of in sorted(seeds.items())
            ))
    return "its seeds were not made alike: " + "; ".join(parts) if parts else ""
