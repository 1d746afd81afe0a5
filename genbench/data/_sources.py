"""A folder or a zip file as named files, read without unpacking anything."""

from __future__ import annotations

import os
import stat
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from genbench.errors import DataError

__all__ = ["Source", "count_lossy", "open_images", "open_source"]

_LOSSY = (".jpg", ".jpeg")
_IMAGES = (*_LOSSY, ".bmp", ".gif", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")

_LARGEST_FILE = 2**29
"""Bytes of the largest file: an image is smaller, a zip bomb is not."""


@dataclass(frozen=True)
class Source:
    """Named files: sorted names with `/` between folders, their contents and their checksums."""

    path: Path
    names: tuple[str, ...]
    read: Callable[[str], bytes]
    checksum: Callable[[str], int]
    """The CRC-32 of a file, which a zip knows without reading it."""

    def where(self, name: str) -> str:
        """How messages name a file."""
        return f"{self.path}: {name}" if self.path.is_file() else str(self.path / name)


def open_images(path: Path) -> Source:
    """The images of a folder or zip file.

    Raises:
        DataError: none there, or a source that cannot be opened (see `open_source`).
    """
    source = open_source(path, _IMAGES)
    if not source.names:
        raise DataError(f"{path}: holds no images ({', '.join(_IMAGES)})")
    return source


def count_lossy(names: Sequence[str]) -> int:
    """How many of the images are JPEGs, by their names."""
    return sum(name.lower().endswith(_LOSSY) for name in names)


def open_source(path: Path, extensions: Sequence[str]) -> Source:
    """The files of a folder or zip with one of these extensions (lower case, with the dot).

    Hidden files and the `__MACOSX` folder of zips are passed over.

    Raises:
        DataError: neither a folder nor a zip, not readable, or a zip that points outside itself.
    """
    try:
        if path.is_dir():
            return _folder(path, extensions)
        if path.is_file() and zipfile.is_zipfile(path):
            return _zip(path, extensions)
    except (OSError, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: cannot be read: {error}") from None
    what = "neither a folder nor a zip file" if path.exists() else "no such folder or zip file"
    raise DataError(f"{path}: {what}")


def _wanted(name: str, extensions: Sequence[str]) -> bool:
    hidden = name.startswith((".", "__MACOSX/")) or "/." in name or "/__MACOSX/" in name
    return not hidden and name.lower().endswith(tuple(extensions))


def _folder(path: Path, extensions: Sequence[str]) -> Source:
    def fail(error: OSError) -> None:
        raise error

    names = []
    for folder, _, files in os.walk(path, onerror=fail):
        below = Path(folder).relative_to(path)
        names += [(below / file).as_posix() for file in files]

    def read(name: str) -> bytes:
        file = path / name
        try:
            about = file.stat()
            if not stat.S_ISREG(about.st_mode):  # a pipe would never end
                raise DataError(f"{file}: not a plain file")
            if about.st_size > _LARGEST_FILE:
                raise DataError(f"{file}: a file of {about.st_size} bytes, which no image needs")
            return file.read_bytes()
        except OSError as error:
            raise DataError(f"{file}: cannot be read: {error.strerror}") from None

    wanted = tuple(sorted(name for name in names if _wanted(name, extensions)))
    return Source(path, wanted, read, lambda name: zlib.crc32(read(name)))


def _zip(path: Path, extensions: Sequence[str]) -> Source:
    archive = zipfile.ZipFile(path)
    entries = {entry.filename: entry for entry in archive.infolist() if not entry.is_dir()}
    for name, entry in entries.items():
        problem = _problem(entry)
        if problem:
            raise DataError(f"{path}: {name}: {problem}; genbench does not read such a zip")

    def read(name: str) -> bytes:
        try:
            return archive.read(entries[name])
        except Exception as error:  # each compression raises its own
            raise DataError(f"{path}: {name}: corrupt entry: {error}") from None

    wanted = tuple(sorted(name for name in entries if _wanted(name, extensions)))
    return Source(path, wanted, read, lambda name: entries[name].CRC)


def _problem(entry: zipfile.ZipInfo) -> str:
    """What makes an entry unfit to be read, or nothing."""
    name = entry.filename.replace("\\", "/")
    if name.startswith("/") or name[1:2] == ":" or ".." in name.split("/"):
        return "a path that leads outside the zip"
    if entry.flag_bits & 1:
        return "an encrypted entry"
    if entry.file_size > _LARGEST_FILE:
        return f"an entry of {entry.file_size} bytes"
    return ""
