"""Where the runs of a report were made, and the rows whose seeds differ in that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from genbench.reporting.markdown import escape, seed_list, table
from genbench.store.provenance import PACKAGES
from genbench.store.runs import Store
from genbench.suites.plan import Plan

__all__ = ["Origin", "made_with", "mixed_rows", "origins_of"]

TELLING = ("genbench", *PACKAGES, "device", "CPU")
"""What can change a number, and so should not differ among the seeds of a row."""


class Origin(NamedTuple):
    """The facts of one run."""

    method: str
    dataset: str
    seed: int
    facts: dict[str, str]


def origins_of(plan: Plan, store: Store) -> list[Origin]:
    """What is known of every run that began.

    Raises:
        StoreError: a damaged record; which one.
    """
    found = []
    for spec in plan.runs:
        facts = _facts(store.run(spec.id).provenance())
        if facts:
            found.append(Origin(spec.method, spec.dataset, spec.seed, facts))
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
            if name != "CPU" or origin.facts.get("device", "").startswith("cpu"):
                seeds.setdefault(origin.facts.get(name, "unknown"), []).append(origin.seed)
        if len(seeds) > 1:
            parts.append(f"{name} " + ", ".join(
                f"{value} ({seed_list(of)})" for value, of in sorted(seeds.items())
            ))
    return "its seeds were not made alike: " + "; ".join(parts) if parts else ""


def made_with(origins: Sequence[Origin]) -> list[str]:
    """The section on versions and machines, each distinct value once."""
    found: dict[str, dict[str, None]] = {}
    for origin in origins:
        for name, value in origin.facts.items():
            found.setdefault(name, {})[value] = None
    if not found:
        return []
    rows = [[name, escape(", ".join(sorted(values)))] for name, values in found.items()]
    return ["## Made with", table(["", "of the runs above"], rows, left=2)]


def _facts(provenance: Mapping[str, Any]) -> dict[str, str]:
    """What a reader wants to know of a provenance, as text; what is unknown is left out."""
    versions = provenance.get("versions") or {}
    git = provenance.get("git") or {}
    commit = str(git.get("commit", ""))[:12]
    facts = {
        **{str(name): str(version) for name, version in sorted(versions.items())},
        "commit": f"{commit} (with changes)" if commit and git.get("dirty") else commit,
        "device": str(provenance.get("device") or ""),
        "CPU": str(provenance.get("cpu") or ""),
        "threads": str(provenance.get("threads") or ""),
        "platform": str(provenance.get("platform") or ""),
    }
    return {name: value for name, value in facts.items() if value}
