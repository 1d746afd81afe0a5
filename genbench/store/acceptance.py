"""What an archive of an accepted run says of its acceptance.

    accepted.json    the format, the run's id, when it was accepted, by which genbench and where
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from pydantic import ConfigDict, TypeAdapter
from pydantic.dataclasses import dataclass

from genbench.store._reading import read_json
from genbench.store.provenance import machine, package_version

NOTE = "accepted.json"
FORMAT = 1


@dataclass(frozen=True, config=ConfigDict(extra="ignore", strict=True))
class Acceptance:
    """When and where a run was accepted."""

    run: str
    date: str
    """Of the day, UTC: 2026-11-28."""
    genbench: str
    cpu: str
    platform: str
    format: int = FORMAT

    @staticmethod
    def now(run_id: str) -> Acceptance:
        """An acceptance of today, on this machine."""
        day, here = f"{datetime.now(UTC):%Y-%m-%d}", machine()
        return Acceptance(
            run_id, day, package_version("genbench"), here["cpu"], here["platform"]
        )

    @staticmethod
    def of(folder: Path) -> Acceptance | None:
        """That of a run's folder; None where the run lies as it was made.

        Raises:
            StoreError: a damaged note.
        """
        path = folder / NOTE
        return read_json(path, ACCEPTANCE) if path.exists() else None

    @property
    def content(self) -> dict[str, object]:
        """It as plain JSON."""
        found: dict[str, object] = ACCEPTANCE.dump_python(self, mode="json")
        return found


ACCEPTANCE = TypeAdapter(Acceptance)
