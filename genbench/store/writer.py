"""Writing a run's folder while the run's lock is held: only `Store.claim` makes a RunWriter.

A write first breaks the seal. It is refused if the folder is not the one that existed when the
lock was acquired: it was moved or replaced.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from genbench.errors import StoreError
from genbench.store._curves import CURVE_FIELDS, csv_bytes
from genbench.store.files import json_bytes, npz_bytes, replace_file
from genbench.store.folder import RunFolder
from genbench.store.measurement import Measurement
from genbench.store.provenance import append_provenance
from genbench.store.records import Status, asked
from genbench.suites.spec import RunSpec
from genbench.suites.yaml_source import dump


class RunWriter:
    """Writes the folder of a run whose lock this process holds; `folder` reads it."""

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self._place, self._pid = _place(folder.path), os.getpid()

    def _replace(self, name: str, fill: Callable[[Path], object]) -> None:
        """Write a file of the folder, which is created if missing."""
        path = self.folder.path
        if self._pid != os.getpid():
            raise StoreError(f"{path}: what a run forked has no part in it, and writes nothing")
        if self._place is None:
            try:
                path.mkdir()
            except OSError as error:
                raise StoreError(f"cannot make {path}: {error.strerror}") from None
            self._place = _place(path)
        self._check_place()
        try:
            self.folder.seal.break_()
            replace_file(path / name, fill)
        except StoreError:
            self._check_place()  # the folder may have been moved during the write
            raise

    def _check_place(self) -> None:
        path = self.folder.path
        if self._place != _place(path):
            raise StoreError(
                f"{path}: the folder of this run went away, or another took its place, while the "
                "run went on; nothing more is written"
            )

    def _put(self, name: str, content: bytes) -> None:
        self._replace(name, lambda temporary: temporary.write_bytes(content))

    def write_status(self, status: Status) -> None:
        """Replace the status."""
        self._put("status.json", json_bytes(asdict(status)))

    def write_spec(self, spec: RunSpec) -> None:
        """Store the resolved specification."""
        self._put("spec.yaml", dump(spec.model_dump(mode="json")).encode())

    def write_provenance(self, provenance: Mapping[str, Any]) -> None:
        """Store versions, commit and machine (see `provenance.provenance`) beside those before."""
        whole = append_provenance(self.folder.provenance(), provenance)
        self._put("provenance.json", json_bytes(whole))

    def write_metrics(
        self, spec: RunSpec, measurements: Sequence[Measurement],
        budget: Mapping[str, Any], notes: Iterable[str] = (),
    ) -> None:
        """Store what was measured, and which metrics were asked for."""
        content = {
            "measurements": [asdict(one) for one in measurements], "budget": dict(budget),
            "notes": list(notes), "asked": asked(spec),
        }
        self._put("metrics.json", json_bytes(content))

    def write_curves(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Store the training curves whole; floats are written so that they read back the same."""
        table = csv_bytes([row[name] for name in CURVE_FIELDS] for row in rows)
        self._put(self.folder.curves_path.name, table)

    def write_samples(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Store named arrays."""
        self._put(self.folder.samples_path.name, npz_bytes(arrays))

    def write_checkpoint(self, fill: Callable[[Path], object]) -> None:
        """Store the checkpoint: `fill` writes it to the path that it is given."""
        self._replace(self.folder.checkpoint.name, fill)

    def write_text(self, name: str, text: str) -> None:
        """Store a text beside the others, e.g. the traceback of a failed run."""
        self._put(name, text.encode())

    def seal(self) -> None:
        """Write size and sha256 of every file: the last act of a finished run."""
        try:
            sums = self.folder.seal.fresh()
        except (OSError, StoreError):
            self._check_place()
            raise
        self._put(self.folder.seal.path.name, json_bytes(sums))


def _place(path: Path) -> tuple[int, int] | None:
    """Device and inode, which identify a folder; None where there is none."""
    with suppress(OSError):
        about = path.stat()
        return about.st_dev, about.st_ino
    return None
