"""Run records on disk: one folder a run, the only thing that executors and machines share.

    results/<suite>/runs/<id>/spec.yaml          the resolved RunSpec
                             provenance.json     versions, commit, machine
                             status.json         state, reason, progress
                             curves.csv          update, stage, player, term, value
                             metrics.json        measurements, budget, notes
                             samples.npz         pictures' worth of samples, density on a grid
                             checkpoint.safetensors
                             checksums.json      size and sha256 of all of these; written last
    results/<suite>/runs/.locks/<id>.lock        held by the process that executes the run
    results/<suite>/runs/.damaged/<id>-<n>/      what `--repair` moved aside
    results/<suite>/accepted/<id>.zip            what `genbench accept` wrote (`store.accepted`)

Writing requires the lock (`Store.claim`). Every write is atomic and first deletes
`checksums.json`, so a folder that has one is complete.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from filelock import FileLock, Timeout

from genbench.errors import StoreError
from genbench.store.accepted import AcceptedRuns
from genbench.store.files import sweep, sync_folder
from genbench.store.folder import RunFolder
from genbench.store.former import FormerIds
from genbench.store.migration import Migration
from genbench.store.records import FINAL, STATES, Record, Status
from genbench.store.writer import RunWriter

__all__ = ["FINAL", "STATES", "Record", "RunFolder", "RunWriter", "Status", "Store"]


class Store:
    """The runs of one suite: `results/<suite>`, and `accepted` ones where there is no such run.

    Accepted runs are read alone; whoever works on a run (`claim`) has its folder below `root`.
    """

    def __init__(self, root: Path, accepted: Sequence[AcceptedRuns] = ()) -> None:
        self.root, self.accepted = root, tuple(accepted)
        self.runs_folder = root / "runs"
        self._folders: dict[str, RunFolder] = {}
        self._former = FormerIds(self.runs_folder, lambda name: RunFolder(self.runs_folder / name))

    def prepare(self) -> None:
        """Create the folders, so that a read-only one is detected before training.

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
        """The folder of a run, whether or not it exists yet, under this id or an earlier one.

        One that is not in `runs_folder` is read from an accepted archive, where there is one.

        Raises:
            StoreError: such an archive is damaged, or cannot be unpacked.
        """
        folder = self._folders.get(run_id)
        if folder is None or not folder.path.exists() or (
            self.accepted and folder.path.parent != self.runs_folder
            and (self.runs_folder / run_id).exists()  # made since
        ):
            folder = self._folders[run_id] = self._found(run_id)
        return folder

    def own(self, run_id: str) -> RunFolder:
        """The folder of a run in `runs_folder`, whether or not it exists yet."""
        folder = self._folders.get(run_id)
        if folder is None or folder.path.parent != self.runs_folder or not folder.path.exists():
            folder = self._folders[run_id] = RunFolder(self.runs_folder / self._name(run_id))
        return folder

    def is_accepted(self, run_id: str) -> bool:
        """Whether a run is read from an accepted archive."""
        return self.run(run_id).path.parent != self.runs_folder

    def _found(self, run_id: str) -> RunFolder:
        own = self.own(run_id)
        if not own.path.exists():
            for accepted in self.accepted:
                found = accepted.run(run_id)
                if found is not None:
                    return found
        return own

    def names(self) -> list[str]:
        """What the runs are called that can be read here, accepted ones too."""
        known = [run.id for run in self.runs()]
        return sorted({*known, *(name for one in self.accepted for name in one.names())})

    def is_former(self, run_id: str) -> bool:
        """Whether only runs under ids of an earlier genbench may be the run of this id."""
        return not (self.runs_folder / run_id).exists() and self._former.holds(run_id)

    def _name(self, run_id: str) -> str:
        """What a run's folder is called: by its id, or as an earlier genbench called it."""
        if (self.runs_folder / run_id).exists():
            return run_id
        return self._former.name_of(run_id) or run_id

    def runs(self) -> list[RunFolder]:
        """Every run of `runs_folder`, by id."""
        if not self.runs_folder.is_dir():
            return []
        folders = (path for path in self.runs_folder.iterdir() if path.name[0] != ".")
        return [RunFolder(path) for path in sorted(folders) if path.is_dir()]

    @contextmanager
    def claim(self, run_id: str, timeout: float = 0.0) -> Iterator[RunWriter | None]:
        """Acquire the run's lock; yields the writable run, None if the timeout expires.

        The holder must read the state again: another runner may have just finished the run.

        Raises:
            StoreError: the lock cannot be acquired at all; names it.
        """
        lock = self._locked(run_id, timeout)
        if lock is None:
            yield None
            return
        try:
            held = RunWriter(self.own(run_id))
            sweep(held.folder.path)
            yield held
        finally:
            lock.release()

    def _locked(self, run_id: str, timeout: float) -> FileLock | None:
        """The acquired lock of a run's folder, which may be renamed while waiting for the lock."""
        while True:
            name = self._name(run_id)
            lock = FileLock(self.runs_folder / ".locks" / f"{name}.lock")
            try:
                lock.acquire(timeout=timeout)
            except Timeout:
                return None
            except (OSError, NotImplementedError) as error:
                reason = getattr(error, "strerror", None) or "the file system has no locks"
                raise StoreError(f"cannot lock {lock.lock_file}: {reason}; nothing of the run is "
                                 "touched without it") from None
            if self._name(run_id) == name:
                return lock
            lock.release()

    def rename(self, before: str, now: str, note: Migration) -> str:
        """Call a run anew, with a note beside it; gives why it stays as it is called, or nothing.

        Raises:
            StoreError: a damaged run, or one that cannot be written.
        """
        with self.claim(before) as held:
            if held is None:
                return "a runner works on it"
            held.folder.verify()
            target = self.runs_folder / now
            lock = FileLock(self.runs_folder / ".locks" / f"{now}.lock")
            try:
                with lock.acquire(timeout=0):
                    if target.exists():
                        return f"there is {now} already"
                    note.write(held.folder.path)
                    os.rename(held.folder.path, target)
                    sync_folder(self.runs_folder)
                    return ""
            except Timeout:
                return f"a runner works on {now}"
            except OSError as error:
                raise StoreError(f"cannot rename {held.folder.path}: {error.strerror}") from None

    def conclude(self, run_id: str, state: str, reason: str, timeout: float = 0.0) -> Status:
        """Record the state of a run whose process could not; returns the resulting status.

        A finished run stays finished, and one that another runner has locked is "busy".

        Raises:
            StoreError: the run cannot be locked, read or written.
        """
        with self.claim(run_id, timeout) as held:
            if held is None:
                return Status("busy", "another runner has it")
            before = held.folder.effective_status()
            if before.state in FINAL:
                return before
            ended = replace(before, state=state, reason=reason)
            held.write_status(ended)
            return ended

    def damaged(self, run_ids: Iterable[str] | None = None) -> dict[str, StoreError]:
        """Damaged runs and what is wrong with each; reads every file of the runs (all if None)."""
        folders = self.runs() if run_ids is None else [self.own(name) for name in run_ids]
        found: dict[str, StoreError] = {}
        for folder in folders:
            try:
                folder.verify()
            except StoreError as error:
                found[folder.id] = error
        return found

    def repair(self, run_id: str) -> Path | None:
        """Move a damaged run's folder to `runs/.damaged/<id>-<n>`, so that it is queued anew.

        Gives where it lies now; None where it is whole by now, or another runner has it.
        """
        with self.claim(run_id) as held:
            if held is None:
                return None
            try:
                held.folder.verify()
            except StoreError:
                return self._move_aside(held.folder.id)
            return None

    def _move_aside(self, run_id: str) -> Path:
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
