"""Versions and machines that made the two sides of a comparison, where they differ."""

from genbench.store.provenance import TELLING, Facts, facts, provenance_history
from genbench.store.runs import Store
from genbench.suites.plan import Plan

_NAMED = tuple(name for name in TELLING if name != "data")  # the data are in the specification


def made_with(plan: Plan, store: Store) -> Facts:
    """What the runs of a plan were made with, as far as they are stored: every value once.

    Raises:
        StoreError: a damaged record.
    """
    found: dict[str, dict[str, None]] = {}
    for spec in plan.runs:
        for name, values in facts(provenance_history(store.run(spec.id).provenance())).items():
            found.setdefault(name, {}).update(dict.fromkeys(values))
    return {name: tuple(sorted(values)) for name, values in found.items()}


def made_otherwise(before: Facts, now: Facts) -> list[str]:
    """One line, `made with: torch 2.14.1 → 2.9.0`, on what differs; none where nothing does.

    What one side does not say is not known to differ.
    """
    differ = [
        f"{name} {', '.join(before[name])} → {', '.join(now[name])}" for name in _NAMED
        if name in before and name in now and before[name] != now[name]
    ]
    return [f"made with: {'; '.join(differ)}"] if differ else []
