"""Reading the files of a run: what is not as it was written is a StoreError naming the file."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import safetensors

from genbench.errors import StoreError

__all__ = ["checksum", "damaged", "open_checkpoint", "read_bytes", "read_object", "read_text"]


def read_object(path: Path, *, optional: bool = False) -> dict[str, Any]:
    """A JSON object; an empty one, where it is `optional`, if there is no such file."""
    try:
        content = json.loads(read_text(path, "{}" if optional else None))
    except ValueError as error:
        raise damaged(path, str(error)) from None
    if not isinstance(content, dict):
        raise damaged(path, "it is not a JSON object")
    return content


def open_checkpoint(path: Path) -> None:
    """Read the header of a safetensors file, which says how long the file is."""
    try:
        with safetensors.safe_open(path, "np") as file:
            file.keys()
    except (OSError, safetensors.SafetensorError) as error:
        raise damaged(path, str(error)) from None


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
        return path.read_bytes()
    except FileNotFoundError:
        if missing is not None:
            return missing
        raise damaged(path, "it is missing") from None
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror}") from None


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
