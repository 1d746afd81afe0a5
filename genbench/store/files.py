"""Atomic writes: a file is either the old one or the new one, whole, whatever stops the process.

The new content goes to a temporary file in the same folder, is fsynced, renamed over the old one,
and then the folder is fsynced, so that the rename survives a power cut too.
"""

import io
import json
import os
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from genbench.errors import Unwritable


def replace_file(path: Path, fill: Callable[[Path], object]) -> None:
    """Write `path` atomically: `fill` writes the temporary file that then takes its place.

    For writers that want a file name (safetensors). The folder has to be there: one that was
    moved away meanwhile is not made anew.

    Raises:
        Unwritable: the folder is not there or cannot be written, or the disk is full.
    """
    temporary: Path | None = None
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
        os.close(handle)
        temporary = Path(name)
        fill(temporary)
        with temporary.open("rb+") as file:
            # mkstemp gives 0600; results are to be read by the others of a group, as a plain
            # open() would let them.
            os.fchmod(file.fileno(), 0o666 & ~_umask())
            os.fsync(file.fileno())
        os.replace(temporary, path)
        temporary = None
        sync_folder(path.parent)
    except OSError as error:
        raise _unwritable(path, error) from None
    finally:
        if temporary is not None:
            with suppress(OSError):
                temporary.unlink()


def sweep(folder: Path) -> None:
    """Delete temporary files of killed processes; nobody else may write there meanwhile."""
    for path in folder.glob(".*.tmp"):
        with suppress(OSError):
            path.unlink()


def json_bytes(content: Any) -> bytes:
    """JSON in UTF-8: sorted keys, one line end at the end, never NaN or infinity.

    Raises:
        ValueError: a NaN or an infinity, which JSON cannot say; use null and a status.
    """
    text = json.dumps(content, sort_keys=True, indent=1, allow_nan=False, ensure_ascii=False)
    return f"{text}\n".encode()


def npz_bytes(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Named arrays as a compressed npz; equal arrays give equal bytes (sorted, undated)."""
    buffer = io.BytesIO()
    ordered = {name: arrays[name] for name in sorted(arrays)}
    np.savez_compressed(buffer, allow_pickle=False, **ordered)
    return buffer.getvalue()


def write_bytes(path: Path, content: bytes) -> None:
    """Write bytes atomically; folders above are made (Unwritable where that is impossible)."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(path, error) from None
    replace_file(path, lambda temporary: temporary.write_bytes(content))


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text atomically, with its line ends as they are."""
    write_bytes(path, text.encode())


def write_json(path: Path, content: Any) -> None:
    """Write JSON atomically (see `json_bytes`)."""
    write_bytes(path, json_bytes(content))


def write_npz(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write named arrays atomically (see `npz_bytes`)."""
    write_bytes(path, npz_bytes(arrays))


def _unwritable(path: Path, error: OSError) -> Unwritable:
    reason = error.strerror or type(error).__name__
    return Unwritable(
        f"cannot write {path}: {reason}; give a folder that can be written with --results"
    )


def _umask() -> int:
    # There is no way to read the mask without setting it; threads that write at the same time set
    # the same value back.
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def sync_folder(folder: Path) -> None:
    """Have what was renamed in a folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
