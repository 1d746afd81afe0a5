"""`genbench show`: a number's whole history, from its run to the command that repeats it."""

from __future__ import annotations

from typing import Any

from genbench.store.folder import RunFolder

__all__ = ["history"]


def history(folder: RunFolder) -> dict[str, Any]:
    """What is known of a run, as plain data in the order in which a person reads it.

    Raises:
        StoreError: a damaged file; which one.
    """
    folder.verify()
    spec, status = folder.spec(), folder.status()
    stored = folder.metrics()
    return {
        "run": folder.id,
        "suite": spec.suite,
        "row": f"{spec.method} on {spec.dataset}, seed {spec.seed}",
        "state": folder.state + (f": {status.reason}" if status.reason else ""),
        "updates": f"{status.update} of {status.updates}",
        "numbers": {one["metric"]: _number(one) for one in stored["measurements"]},
        "notes": stored["notes"],
        "budget": stored["budget"],
        "repeat": f"genbench run {spec.suite} --only '{folder.id}' --results elsewhere",
        "provenance": folder.provenance(),
        "files": {
            name: f"{known['bytes']} bytes, sha256 {known['sha256']}"
            for name, known in sorted(folder.sums().items())
        },
        "specification": spec.model_dump(mode="json"),
    }


def _number(one: dict[str, Any]) -> str:
    if one["value"] is None:
        return f"{one['status']}: {one['reason']}"
    spread = one["sampling_std"]
    sets = "" if spread is None else f" ± {spread:.2g} over sample sets"
    unit = f" {one['unit']}" if one["unit"] else ""
    return f"{one['value']!r}{unit}{sets} ({one['protocol']})"
