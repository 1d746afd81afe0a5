"""Run records on disk: one folder a run, the only thing that executors and machines share.

    results/<suite>/runs/<id>/spec.yaml          the resolved RunSpec
                             provenance.json     versions, commit, machine
                             status.json         state, reason, progress
                             curves.csv          update, stage, player, term, value
                             metrics.json        measurements, budget, notes
                             samples.npz         pictures' worth of samples, density on a grid
                             checkpoint.safetensors
                             checksums.json      size and sha256 of all of these; written last
    results/<suite>/runs/.locks/<id>.lock        held by whoever works on the run
    results/<suite>/runs/.damaged/<id>-<n>/      what `--repair` moved aside

Every write is atomic and first takes `checksums.json` away, so a folder that has one is finished
and whole.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from genbench.errors import StoreError
from genbench.store.folder import RunFolder
from genbench.store.records import FINAL, STATES, Record, Status

__all__ = ["FINAL", "STATES", "Record", "RunFolder", "Status", "Store"]


class Store:
    """The runs of one suite: `results/<suite>`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.runs_folder = root / "runs"
        self._folders: dict[str, RunFolder] = {}

    def prepare(self) -> None:
        """Make the folders, so that one that cannot be written is found before anything trains.

        Raises:
            StoreError: the folder cannot be made or written.
        """
        try:
            (self.runs_folder / ".locks").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"cannot make {self.runs_folder}: {error.strerror}; "
                "give a folder that can be written with --results"
            ) from None
        if not os.access(self.runs_folder, os.W_OK | os.X_OK):
            raise StoreError(
                f"cannot write in {self.runs_folder}: permission denied; "
                "give a folder that can be written with --results"
            )

    def run(self, run_id: str) -> RunFolder:
        """The folder of a run, whether or not it exists yet."""
        if run_id not in self._folders:
            self._folders[run_id] = RunFolder(self.runs_folder / run_id)
        return self._folders[run_id]

    def runs(self) -> list[RunFolder]:
        """Every run folder there is, by id."""
        if not self.runs_folder.is_dir():
            return []
        folders = (path for path in self.runs_folder.iterdir() if path.name[0] != ".")
        return [RunFolder(path) for path in sorted(folders) if path.is_dir()]

    @contextmanager
    def claim(self, run_id: str, timeout: float = 0.0) -> Iterator[bool]:
        """Hold the run's lock; yields whether it was to be had within `timeout` seconds.

        Whoever holds it must look at the state again: another runner may have just finished it.
        """
        self.prepare()
        lock = FileLock(self.runs_folder / ".locks" / f"{run_id}.lock")
        try:
            lock.acquire(timeout=timeout)
        except Timeout:
            yield False
            return
        except OSError as error:
            raise StoreError(f"cannot lock {lock.lock_file}: {error.strerror}") from None
        try:
            self._sweep(run_id)
            yield True
        finally:
            lock.release()

    def _sweep(self, run_id: str) -> None:
        """Take away what a killed process was writing; only for whoever holds the run's lock."""
        for path in (self.runs_folder / run_id).glob(".*.tmp"):
            with suppress(OSError):
                path.unlink()

    def damaged(self, run_ids: Iterable[str] | None = None) -> dict[str, StoreError]:
        """Damaged runs and what is wrong with each; reads every file of the runs (all if None)."""
        folders = self.runs() if run_ids is None else [self.run(name) for name in run_ids]
        found: dict[str, StoreError] = {}
        for folder in folders:
            try:
                folder.verify()
            except StoreError as error:
                found[folder.id] = error
        return found

    def repair(self, run_id: str) -> Path:
        """Move a run's folder aside to `runs/.damaged/<id>-<n>`, so that it is queued anew."""
        aside = self.runs_folder / ".damaged"
        try:
            aside.mkdir(exist_ok=True)
            number = 1
            while (aside / f"{run_id}-{number}").exists():
                number += 1
            target = aside / f"{run_id}-{number}"
            os.replace(self.runs_folder / run_id, target)
        except OSError as error:
            raise StoreError(
                f"cannot move {self.runs_folder / run_id} aside: {error.strerror}"
            ) from None
        return target
