"""Reading the files of a run: what is not as it was written is a StoreError naming the file."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any, TypeVar

import safetensors
from pydantic import TypeAdapter, ValidationError

from genbench.errors import StoreError

Content = TypeVar("Content")


def read_json(path: Path, kind: TypeAdapter[Content], missing: bytes | None = None) -> Content:
    """What a JSON file holds, as `kind`; that of `missing`, where given, if there is no file."""
    try:
        return kind.validate_json(read_bytes(path, missing))
    except ValidationError as error:
        raise damaged(path, fault(error)) from None


def fault(error: ValidationError) -> str:
    """The first thing that is wrong, and where in the file."""
    first = error.errors(include_url=False)[0]
    where = ".".join(map(str, first["loc"]))
    return f"{where}: {first['msg']}" if where else first["msg"]


def open_checkpoint(path: Path) -> None:
    """Read a safetensors file, and hold it against the hash that it has of itself, where it has.

    An unfinished run has no seal, and would go on from whatever stands there.
    """
    try:
        with safetensors.safe_open(path, "np") as file:
            meta = json.loads((file.metadata() or {}).get("genbench", "{}"))
        if meta.get("sum") in (None, sum_of(read_bytes(path))):
            return
    except (OSError, ValueError, AttributeError, safetensors.SafetensorError) as error:
        raise damaged(path, str(error)) from None
    raise damaged(path, "its contents are not those that were written")


def sum_of(checkpoint: bytes) -> str:
    """The sha256 of a checkpoint's tensors and of what it says of them, but for that itself."""
    start = 8 + int.from_bytes(checkpoint[:8], "little")
    header = json.loads(checkpoint[8:start])
    meta = json.loads(header.pop("__metadata__")["genbench"])
    meta.pop("sum", None)
    about = json.dumps([header, meta], sort_keys=True).encode()
    return hashlib.sha256(about + checkpoint[start:]).hexdigest()


def checksum(path: Path) -> dict[str, Any]:
    """Size in bytes and sha256 of a file."""
    try:
        with path.open("rb") as file:
            sha = hashlib.file_digest(file, "sha256").hexdigest()
        return {"bytes": path.stat().st_size, "sha256": sha}
    except OSError as error:
        raise damaged(path, error.strerror or type(error).__name__) from None


def read_bytes(path: Path, missing: bytes | None = None) -> bytes:
    """A whole file; `missing`, where given, if there is none."""
    try:
        return _contents(path)
    except FileNotFoundError:
        if missing is not None:
            return missing
        raise damaged(path, "it is missing") from None
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror}") from None


def _contents(path: Path) -> bytes:
    # as open() and read(), in half their time: a report reads ten thousands of small files
    handle = os.open(path, os.O_RDONLY)
    try:
        parts, left = [], os.fstat(handle).st_size
        while part := os.read(handle, left):
            parts.append(part)
            left -= len(part)
        return b"".join(parts)
    finally:
        os.close(handle)


def read_text(path: Path, missing: str | None = None) -> str:
    """UTF-8 text, its line ends as they are; `missing`, where given, if there is no such file."""
    try:
        return read_bytes(path, None if missing is None else missing.encode()).decode()
    except UnicodeDecodeError:
        raise damaged(path, "it is not UTF-8 text") from None


def damaged(path: Path, why: str) -> StoreError:
    """The error for a damaged file, with the remedy."""
    return StoreError(
        f"{path} is damaged: {why}; `genbench run SUITE --repair` moves the run aside and "
        "queues it anew"
    )
