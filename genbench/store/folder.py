"""The folder of one run, read: typed, and held against the seal of a finished run."""

import csv
import io
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout
from pydantic import ValidationError

from genbench.errors import StoreError, SuiteError
from genbench.store._curves import CURVE_FIELDS
from genbench.store._reading import (
    checksum,
    damaged,
    fault,
    open_checkpoint,
    read_bytes,
    read_json,
    read_text,
    sum_of,
)
from genbench.store._seal import Seal
from genbench.store.acceptance import Acceptance
from genbench.store.migration import Migration
from genbench.store.records import FINAL, METRICS, PROVENANCE, STATES, STATUS, Record, Status
from genbench.store.samples import StoredArrays
from genbench.suites.former import read_spec
from genbench.suites.spec import RunSpec
from genbench.suites.yaml_source import parse

__all__ = ["CURVE_FIELDS", "RunFolder", "damaged", "open_checkpoint", "sum_of"]


class RunFolder:
    """The folder of one run. Reads raise StoreError naming the file that is missing or damaged.

    Who wants to write asks `Store.claim` for it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.seal = Seal(path)
        self.samples_read: set[str] | None = None
        """The arrays of the samples that were looked at; None where nobody asked for any."""

    @property
    def id(self) -> str:
        """The run's id, which is the folder's name."""
        return self.path.name

    @property
    def checkpoint(self) -> Path:
        """Where the checkpoint lies, whether or not there is one."""
        return self.path / "checkpoint.safetensors"

    @property
    def samples_path(self) -> Path:
        """Where the samples lie."""
        return self.path / "samples.npz"

    @property
    def curves_path(self) -> Path:
        """Where the training curves lie, whether or not there are any."""
        return self.path / "curves.csv"

    def status(self) -> Status:
        """The status; "queued" where nothing has begun."""
        path = self.path / "status.json"
        status = read_json(path, STATUS, missing=b"{}")
        if status.state not in STATES:
            raise damaged(path, f"unknown state {status.state!r}")
        return status

    def effective_status(self) -> Status:
        """The status; "interrupted" if the last write is missing or the run's process died."""
        status = self.status()
        unsealed = status.state in FINAL and not self.sealed
        if unsealed or (status.state == "running" and self._abandoned()):
            return replace(status, state="interrupted")
        return status

    def _abandoned(self) -> bool:
        """Whether the run's lock is free (stale), as far as this process can tell."""
        path = self.path.parent / ".locks" / f"{self.id}.lock"
        if not path.exists():
            return True
        try:
            with FileLock(path, timeout=0):
                return True
        except (Timeout, OSError, NotImplementedError):  # held, or unreadable: another user's
            return False

    @property
    def state(self) -> str:
        """One of STATES, as `standing` has it."""
        return self.effective_status().state

    def spec(self) -> RunSpec:
        """The resolved specification."""
        path = self.path / "spec.yaml"
        try:
            raw = parse(read_text(path), str(path)).data
        except SuiteError as error:
            raise damaged(path, f"line {error.line or 1}: {error.message}") from None
        try:
            return Migration.of(self.path).applied(read_spec(raw))
        except ValidationError as error:
            raise damaged(path, fault(error)) from None

    def provenance(self) -> dict[str, Any]:
        """Versions, commit and machine, and earlier ones of them; empty where none was stored."""
        return read_json(self.path / "provenance.json", PROVENANCE, missing=b"{}")

    def metrics(self) -> dict[str, Any]:
        """`measurements`, `budget`, `notes` and `asked`; empty lists where nothing is measured."""
        raw = read_json(self.path / "metrics.json", METRICS, missing=b"{}")
        return {"measurements": [], "budget": {}, "notes": [], **raw}

    def record(self) -> Record:
        """Where the run stands and what was measured; a finished run's files are looked at.

        Raises:
            StoreError: naming the first file that is missing or not what it was.
        """
        while True:
            status, seal = self.effective_status(), self.seal.stamp
            if status.state not in FINAL:
                return Record(status, {})
            try:
                self.check()
                return Record(status, self.metrics())
            except StoreError:
                if self.seal.stamp == seal:
                    raise  # else the run is being written: a mix of old and new files was read

    def curves(self) -> list[dict[str, Any]]:
        """Training curves: rows of update, stage, player, term, value; none where not trained."""
        update, stage, player, term, value = self._curve_columns()
        try:
            columns = (map(int, update), map(int, stage), player, term, map(float, value))
            return [dict(zip(CURVE_FIELDS, row)) for row in zip(*columns, strict=True)]
        except ValueError as error:
            raise damaged(self.curves_path, str(error)) from None

    def series(self) -> dict[tuple[str, str], np.ndarray]:
        """Training curves by (player, term): updates and values, (2, N) float64."""
        update, _, player, term, value = self._curve_columns()
        try:
            pairs = np.array([update, value], dtype=object).astype(float)
        except ValueError as error:
            raise damaged(self.curves_path, str(error)) from None
        at: dict[tuple[str, str], list[int]] = {}
        for index, key in enumerate(zip(player, term)):
            at.setdefault(key, []).append(index)
        return {key: pairs[:, rows] for key, rows in at.items()}

    def _curve_columns(self) -> list[Sequence[str]]:
        """The five columns as text, without the head; a report reads hundreds of such files."""
        path = self.curves_path
        if not path.exists():
            return [()] * len(CURVE_FIELDS)
        text = read_text(path)
        head = ",".join(CURVE_FIELDS) + "\n"
        if not text.startswith(head) or not text.endswith("\n"):
            raise damaged(path, f"it is not a table of {head.strip()} up to its end")
        if '"' in text:  # a name that needs quotes
            rows = list(csv.reader(io.StringIO(text)))[1:]
            whole = all(len(row) == len(CURVE_FIELDS) for row in rows)
            cells = [cell for row in rows for cell in row]
        else:
            lines = text.count("\n") - 1
            cells = text[len(head):].replace("\n", ",").split(",")[:-1]
            whole = len(cells) == lines * len(CURVE_FIELDS)
        if not whole:
            raise damaged(path, f"a line is not {head.strip()}")
        return [cells[column::len(CURVE_FIELDS)] for column in range(len(CURVE_FIELDS))]

    def acceptance(self) -> Acceptance | None:
        """When and where the run was accepted; None of one that lies here as it was made."""
        return Acceptance.of(self.path)

    def samples(self) -> StoredArrays:
        """The stored arrays by name; empty where none were stored."""
        path = self.samples_path
        if not path.exists():
            return StoredArrays({}, set())
        if self.samples_read is None:
            self.samples_read = set()
        raw = io.BytesIO(read_bytes(path))  # np.load leaves a file that it cannot read open
        try:
            with np.load(raw, allow_pickle=False) as archive:
                arrays = {name: archive[name] for name in archive.files}
            return StoredArrays(arrays, self.samples_read)
        except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
            raise damaged(path, str(error) or type(error).__name__) from None

    @property
    def sealed(self) -> bool:
        """Whether the last write of a finished run has come."""
        return self.seal.there

    def sums(self) -> dict[str, dict[str, Any]]:
        """Size and sha256 of every file of a sealed run; empty where it is not sealed."""
        return self.seal.sums()

    def sealed_sum(self, name: str) -> str | None:
        """The sha256 that the seal has of a file; None while there is none."""
        return self.seal.hash_of(name)

    def fingerprint(self, name: str) -> str:
        """The sha256 of a file: as the seal has it, or of what lies there while there is none."""
        return self.sealed_sum(name) or str(checksum(self.path / name)["sha256"])

    def check(self) -> None:
        """Compare a sealed run's files with what was written down, without reading them all.

        Raises:
            StoreError: naming the first file that is missing or not what it was.
        """
        self.seal.check(whole=False)

    def verify(self) -> None:
        """Read every file: hashes of a sealed run, and that what is there can be parsed.

        Raises:
            StoreError: naming the first damaged file.
        """
        self.seal.check(whole=True)
        self.status()
        self.provenance()
        self.metrics()
        self.curves()
        self.samples()
        if (self.path / "spec.yaml").exists():
            self.spec()
        if self.checkpoint.exists():
            open_checkpoint(self.checkpoint)
