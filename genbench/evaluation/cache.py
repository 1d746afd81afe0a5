"""Arrays on disk, computed once: under a lock, written to a temporary file and renamed."""

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

import numpy as np
from filelock import FileLock
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from genbench.errors import DataError

Arrays = dict[str, np.ndarray]
_USED: ContextVar[list[Path] | None] = ContextVar("used", default=None)


@contextmanager
def used() -> Iterator[list[Path]]:
    """The files that `once_on_disk` reads or writes within, in order."""
    files: list[Path] = []
    token = _USED.set(files)
    try:
        yield files
    finally:
        _USED.reset(token)


def content_hash(*parts: np.ndarray | str) -> str:
    """The SHA-256 of arrays (shape, type and contents) and texts, in hexadecimal."""
    total = hashlib.sha256()
    for part in parts:
        if isinstance(part, str):
            total.update(part.encode())
        else:
            total.update(f"{part.dtype}{part.shape}".encode())
            total.update(np.ascontiguousarray(part).data)
        total.update(b"\x1f")
    return total.hexdigest()


def once_on_disk(path: Path, compute: Callable[[], Mapping[str, np.ndarray]]) -> Arrays:
    """What `compute` gives, from `path` (safetensors) where it was kept before.

    Of several processes that ask at once, one computes and the others wait. A damaged file is
    computed again.

    Raises:
        DataError: the cache folder cannot be written.
    """
    files = _USED.get()
    if files is not None and path not in files:
        files.append(path)
    known = _read(path)
    if known is not None:
        return known
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_suffix(".lock")):
            known = _read(path)
            if known is None:
                known = {
                    name: np.asarray(array, order="C") for name, array in compute().items()
                }
                _write(path, known)
            return known
    except OSError as error:
        raise DataError(
            f"{path.parent}: cannot write the cache there ({error.strerror or error}); "
            "name a writable folder in GENBENCH_CACHE"
        ) from None


def _read(path: Path) -> Arrays | None:
    try:
        return load_file(path)
    except (FileNotFoundError, SafetensorError):
        return None


def _write(path: Path, arrays: Arrays) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.stem, suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(save(arrays))
            file.flush()
            mask = os.umask(0o022)  # it cannot be read without being set
            os.umask(mask)
            os.fchmod(file.fileno(), 0o666 & ~mask)  # mkstemp gives 0600; others share the cache
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
