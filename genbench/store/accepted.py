"""Accepted runs: an archive each, small enough for git, of what reports are made of.

    results/<suite>/accepted/<id>.zip    spec.yaml  provenance.json  status.json  metrics.json
                                         curves.npz (`store._curves`), or as curves.csv
                                         samples.npz: the arrays that the suite's figures show
                                         migrated.json, where there is one
                                         checksums.json  accepted.json

There is no checkpoint in it and no path of a machine. Equal members give equal bytes; the comment
at an archive's end is the sha256 of all that is before it, so that no byte changes unnoticed. To
be read, an archive is unpacked into the cache, as an ordinary folder of a run.
"""

import hashlib
import io
import json
import os
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Mapping, Set
from contextlib import suppress
from functools import partial
from pathlib import Path

from pydantic import ValidationError

from genbench.errors import StoreError
from genbench.places import cache_folder
from genbench.store._curves import packed, unpacked
from genbench.store._reading import read_bytes
from genbench.store._seal import seal_of
from genbench.store.acceptance import ACCEPTANCE, FORMAT, NOTE, Acceptance
from genbench.store.files import json_bytes, npz_bytes, sync_folder, write_bytes
from genbench.store.folder import RunFolder
from genbench.store.former import FormerIds
from genbench.store.migration import NOTE as MIGRATED
from genbench.suites.yaml_source import dump

_SPEC, _SAMPLES, _SEAL = "spec.yaml", "samples.npz", "checksums.json"
_CURVES, _PACKED = "curves.csv", "curves.npz"
_COPIED = (_CURVES, "metrics.json", MIGRATED, "provenance.json", "status.json")
_MEMBERS = frozenset((_SPEC, _SAMPLES, _SEAL, NOTE, _PACKED, *_COPIED))
_DAY = (1980, 1, 1, 0, 0, 0)
"""The time of every member: the first that a zip can say."""
_HASH = 64
"""Characters of the comment."""
_UNREADABLE = (
    OSError, ValueError, KeyError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error,
)
"""What zipfile raises on bytes that are no archive."""


class _Damaged(StoreError):
    """An archive whose bytes are not those that were written."""


class AcceptedRuns:
    """The accepted runs of a suite; `folder` need not be there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._former = FormerIds(folder, self._unpacked, ".zip")

    def names(self) -> list[str]:
        """The ids of the archives."""
        return sorted(path.stem for path in self.folder.glob("*.zip") if path.name[0] != ".")

    def path(self, name: str) -> Path:
        """Where the archive of that id lies, whether or not there is one."""
        return self.folder / f"{name}.zip"

    def name_of(self, run_id: str) -> str | None:
        """The id by which a run is accepted: its own or an earlier one; None where it is not."""
        return run_id if self.path(run_id).exists() else self._former.name_of(run_id)

    def run(self, run_id: str) -> RunFolder | None:
        """The unpacked folder of a run; None where it is not accepted.

        Raises:
            StoreError: a damaged archive, one of a newer format, or a cache that is not writable.
        """
        name = self.name_of(run_id)
        return None if name is None else self._unpacked(name)

    def write(self, acceptance: Acceptance, members: Mapping[str, bytes]) -> bool:
        """Write a run's archive; gives whether that changed what was accepted before.

        An archive with the same members stays, with the day that it was accepted on; a damaged
        one is replaced.

        Raises:
            StoreError: the folder cannot be written, or holds an archive of a newer format.
        """
        path = self.path(acceptance.run)
        if path.exists():
            with suppress(_Damaged):
                before = _members(path, read_bytes(path))
                del before[NOTE]
                if before == members:
                    return False
        write_bytes(path, _zipped({**members, NOTE: json_bytes(acceptance.content)}))
        return True

    def remove(self, name: str) -> None:
        """Take an archive away.

        Raises:
            StoreError: the folder cannot be written.
        """
        try:
            self.path(name).unlink(missing_ok=True)
            sync_folder(self.folder)
        except OSError as error:
            raise StoreError(f"cannot remove {self.path(name)}: {error.strerror}") from None

    def _unpacked(self, name: str) -> RunFolder:
        """The folder of a run in the cache, unpacked where it is not, or not whole."""
        path = self.path(name)
        raw = read_bytes(path)
        target = cache_folder() / "accepted" / hashlib.sha256(raw).hexdigest() / name
        folder = RunFolder(target)
        with suppress(StoreError):
            if folder.sealed and (target / NOTE).exists():
                folder.check()
                return folder
        members = _members(path, raw)
        try:
            _unpack(members, target)
        except OSError as error:
            raise StoreError(
                f"cannot unpack {path} into {target}: {error.strerror or error}; GENBENCH_CACHE "
                "names another folder"
            ) from None
        return RunFolder(target)


def members_of(folder: RunFolder, samples: Set[str] | None) -> dict[str, bytes]:
    """What an archive holds of a finished run besides its acceptance.

    `samples` are the arrays that it keeps; none of them stands for all, None for no file.

    Raises:
        StoreError: a damaged file.
    """
    spec = folder.spec().model_copy(update={"folder": ""})  # a folder of this machine
    names = [*_COPIED, *([] if samples is None else [_SAMPLES])]
    members = {name: read_bytes(folder.path / name) for name in (_SPEC, *names)
               if (folder.path / name).exists()}
    for name, known in folder.sums().items():
        if name in members and hashlib.sha256(members[name]).hexdigest() != known["sha256"]:
            raise StoreError(f"{folder.path / name} is damaged: its contents are not those that "
                             "were written; `genbench run SUITE --repair` does the run anew")
    members[_SPEC] = dump(spec.model_dump(mode="json")).encode()
    if samples:
        whole = folder.samples().whole
        if left := {name: array for name, array in whole.items() if name in samples}:
            members[_SAMPLES] = npz_bytes(left)
    sums = {
        name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in members.items()
    }
    return {**members, _SEAL: json_bytes(seal_of(sums))}


def _zipped(members: Mapping[str, bytes]) -> bytes:
    """Files as a zip archive; equal ones give equal bytes (sorted, undated)."""
    files = dict(members)
    if _CURVES in files and (curves := packed(files[_CURVES])):
        del files[_CURVES]
        files[_PACKED] = curves
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in sorted(files):
            about = zipfile.ZipInfo(name, _DAY)
            about.compress_type, about.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(about, files[name], compresslevel=9)
        archive.comment = b"0" * _HASH
    whole = buffer.getvalue()[:-_HASH]
    return whole + hashlib.sha256(whole).hexdigest().encode()


def _members(path: Path, raw: bytes) -> dict[str, bytes]:
    """The files of an archive.

    Raises:
        StoreError: it is of a newer format, or not as it was written.
    """
    damaged = partial(_damaged, path)
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            note = json.loads(archive.read(NOTE))
            if note["format"] > FORMAT:
                raise StoreError(f"{path} was written by genbench {note.get('genbench')}, in a "
                                 "format that this one does not know; install that version")
            if hashlib.sha256(raw[:-_HASH]).hexdigest().encode() != raw[-_HASH:]:
                raise damaged("its bytes are not those that were written")
            if strange := set(archive.namelist()) - _MEMBERS:
                raise damaged(f"no archive holds {min(strange)}")
            members = {name: archive.read(name) for name in archive.namelist()}
        if _PACKED in members:
            members[_CURVES] = unpacked(members.pop(_PACKED))
        run = ACCEPTANCE.validate_json(members[NOTE]).run
    except (*_UNREADABLE, TypeError, ValidationError) as error:
        raise damaged(str(error) or type(error).__name__) from None
    if run != path.stem:
        raise damaged(f"it holds the run {run}")
    return members


def _damaged(path: Path, why: str) -> _Damaged:
    reason = " ".join(why.split())
    return _Damaged(f"{path} is damaged: {reason}; take it from git again, or run the suite here "
                    "and accept the run anew")


def _unpack(members: Mapping[str, bytes], target: Path) -> None:
    """Write a folder whole or not at all; another process may do the same at the same time."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".", dir=target.parent) as place:
        fresh, gone = Path(place, "fresh"), Path(place, "gone")
        fresh.mkdir()
        for name in sorted(members, key=lambda name: name == _SEAL):
            (fresh / name).write_bytes(members[name])
        with suppress(FileNotFoundError):
            os.rename(target, gone)  # what is there is not whole
        try:
            os.rename(fresh, target)
        except OSError:
            if not target.is_dir():
                raise
        shutil.rmtree(gone, ignore_errors=True)
