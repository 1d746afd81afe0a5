"""Where the runs of a report were made, and the rows whose seeds differ in that."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from genbench.store.acceptance import Acceptance
from genbench.store.provenance import PACKAGES, provenance_history
from genbench.store.runs import Store
from genbench.suites.plan import Plan
from genbench.text.markdown import seed_list

TELLING = ("genbench", *PACKAGES, "device", "CPU", "threads", "data")
"""What can change a number, and so should not differ among the seeds of a row."""


Facts = dict[str, tuple[str, ...]]
"""By name: one value, or those of all who worked on a run, the first first."""


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
            known[mark] = _facts(told), None if claims is None else frozenset(claims)
        if known[mark][0]:
            row = (spec.method, spec.dataset, spec.seed)
            found.append(Origin(*row, *known[mark], folder.acceptance()))
    return found


def planned_claims(origins: Sequence[Origin]) -> dict[tuple[str, str], list[frozenset[str]]]:
    """(Row, dataset) → the claims that each of its runs was started with, where it says so."""
    found: dict[tuple[str, str], list[frozenset[str]]] = {}
    for origin in origins:
        if origin.claims is not None:
            found.setdefault((origin.method, origin.dataset), []).append(origin.claims)
    return found


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


def _facts(provenances: Iterable[Mapping[str, Any]]) -> Facts:
    """What a reader wants to know of a run's provenances, as text; the unknown is left out."""
    found: dict[str, dict[str, None]] = {}
    for provenance in provenances:
        for name, value in _texts(provenance).items():
            if value:
                found.setdefault(name, {})[value] = None
    return {name: tuple(values) for name, values in found.items()}


def _texts(provenance: Mapping[str, Any]) -> dict[str, str]:
    versions = provenance.get("versions") or {}
    git = provenance.get("git") or {}
    commit = str(git.get("commit", ""))[:12]
    return {
        **{str(name): str(version) for name, version in sorted(versions.items())},
        "commit": f"{commit} (with changes)" if commit and git.get("dirty") else commit,
        "device": str(provenance.get("device") or ""),
        "CPU": str(provenance.get("cpu") or ""),
        "threads": str(provenance.get("threads") or ""),
        "data": str(provenance.get("data") or ""),
        "switches": "; ".join(map(str, provenance.get("switches") or ())),
        "platform": str(provenance.get("platform") or ""),
    }
