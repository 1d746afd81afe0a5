"""Writing a run's folder, for whoever holds the run's lock: `Store.claim` alone makes a HeldRun.

A write first breaks the seal. It is refused where the folder is not the one that was there when
the lock was had: somebody moved it, or it was made anew.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from genbench.errors import StoreError
from genbench.store.files import replace_file, write_json, write_npz, write_text
from genbench.store.folder import CURVE_FIELDS, RunFolder
from genbench.store.provenance import taken_on
from genbench.store.records import Status, asked
from genbench.suites.spec import RunSpec
from genbench.suites.yaml_source import dump

__all__ = ["HeldRun"]


class HeldRun:
    """The folder of a run whose lock is held; `folder` reads it."""

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self._place = _place(folder.path)

    def _open(self, name: str) -> Path:
        """The path of a file that is about to be written; the folder is made where none was."""
        path = self.folder.path
        if self._place is None:
            try:
                path.mkdir()
            except OSError as error:
                raise StoreError(f"cannot make {path}: {error.strerror}") from None
            self._place = _place(path)
        if self._place != _place(path):
            raise StoreError(
                f"{path}: the folder of this run went away, or another took its place, while the "
                "run went on; nothing more is written"
            )
        self.folder.seal.break_()
        return path / name

    def write_status(self, status: Status) -> None:
        """Replace the status."""
        write_json(self._open("status.json"), asdict(status))

    def write_spec(self, spec: RunSpec) -> None:
        """Store the resolved specification."""
        write_text(self._open("spec.yaml"), dump(spec.model_dump(mode="json")))

    def write_provenance(self, provenance: Mapping[str, Any]) -> None:
        """Store versions, commit and machine (see `provenance.provenance`) beside those before."""
        whole = taken_on(self.folder.provenance(), provenance)
        write_json(self._open("provenance.json"), whole)

    def write_metrics(
        self, spec: RunSpec, measurements: Sequence[Mapping[str, Any]],
        budget: Mapping[str, Any], notes: Iterable[str] = (),
    ) -> None:
        """Store what was measured, and which metrics were asked for."""
        content = {
            "measurements": [dict(one) for one in measurements], "budget": dict(budget),
            "notes": list(notes), "asked": asked(spec),
        }
        write_json(self._open("metrics.json"), content)

    def write_curves(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Store the training curves whole; floats are written so that they read back the same."""
        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\n")
        writer.writerow(CURVE_FIELDS)
        for row in rows:
            *keys, value = (row[name] for name in CURVE_FIELDS)
            writer.writerow([*keys, repr(float(value))])
        write_text(self._open(self.folder.curves_path.name), buffer.getvalue())

    def write_samples(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Store named arrays."""
        write_npz(self._open(self.folder.samples_path.name), arrays)

    def write_checkpoint(self, fill: Callable[[Path], None]) -> None:
        """Store the checkpoint: `fill` writes it to the path that it is given."""
        replace_file(self._open(self.folder.checkpoint.name), fill)

    def write_text(self, name: str, text: str) -> None:
        """Store a text beside the others, e.g. the traceback of a failed run."""
        write_text(self._open(name), text)

    def seal(self) -> None:
        """Write size and sha256 of every file: the last act of a finished run."""
        self._open(self.folder.seal.path.name)
        self.folder.seal.put()


def _place(path: Path) -> tuple[int, int] | None:
    """What tells a folder from another that takes its place; None where there is none."""
    with suppress(OSError):
        about = path.stat()
        return about.st_dev, about.st_ino
    return None
