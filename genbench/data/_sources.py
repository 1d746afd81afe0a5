"""A folder or a zip file as named files, read without unpacking anything."""

import os
import stat
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from genbench.errors import DataError
from genbench.quiet import is_quiet
from genbench.visible import visible

FORMATS = {
    "JPEG": (".jfif", ".jpe", ".jpeg", ".jpg", ".mpo"), "PNG": (".apng", ".png"),
    "AVIF": (".avif", ".avifs"), "BMP": (".bmp",), "DIB": (".dib",), "GIF": (".gif",),
    "JPEG2000": (".j2c", ".j2k", ".jp2", ".jpc", ".jpf", ".jpx"),
    "PPM": (".pbm", ".pgm", ".pnm", ".ppm"), "TIFF": (".tif", ".tiff"), "WEBP": (".webp",),
    "TGA": (".tga",),
}
"""The formats that are read, as Pillow calls them, and how their files are called. Pillow knows
more, some of which start a program: EPS starts Ghostscript."""
_LOSSY = FORMATS["JPEG"]
_IMAGES = tuple(sorted(suffix for suffixes in FORMATS.values() for suffix in suffixes))
_LARGEST_FILE = 2**29
"""Bytes of the largest file: an image is smaller, a zip bomb is not."""


@dataclass(frozen=True)
class ImageSource:
    """Named files: sorted names with `/` between folders, their contents and their checksums."""

    path: Path
    names: tuple[str, ...]
    read: Callable[[str], bytes]
    checksum: Callable[[str], int]
    """The CRC-32 of a file, which a zip knows without reading it."""
    passed: tuple[str, ...] = ()
    """Files that are not called as those that were asked for."""

    def where(self, name: str) -> str:
        """How messages name a file."""
        text = f"{self.path}: {name}" if self.path.is_file() else str(self.path / name)
        return visible(text)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was passed over: how many files, and what they are called."""
        if not self.passed:
            return ()
        suffixes = Counter(
            PurePosixPath(name).suffix.lower() or "no suffix" for name in self.passed
        ).most_common()
        kinds = ", ".join(f"{count} with {suffix}" for suffix, count in suffixes[:5])
        more = ", …" if len(suffixes) > 5 else ""
        text = (f"passed over {len(self.passed)} of the files in {self.path.name}, which are not "
                f"called as images are: {kinds}{more}")
        return (visible(text),)


def open_images(path: Path) -> ImageSource:
    """The images of a folder or zip file.

    Raises:
        DataError: none there, or a source that cannot be opened (see `_open_source`).
    """
    source = _open_source(path, _IMAGES)
    if not source.names:
        other = f" among its {len(source.passed)} files" if source.passed else ""
        raise DataError(f"{path}: holds no images{other} ({', '.join(_IMAGES)})")
    return source


def count_lossy(names: Sequence[str]) -> int:
    """How many of the images are JPEGs, by their names."""
    return sum(name.lower().endswith(_LOSSY) for name in names)


def _open_source(path: Path, extensions: Sequence[str]) -> ImageSource:
    """The files of a folder or zip with one of these extensions (lower case, with the dot).

    Links are followed. Hidden files and what systems leave behind (`genbench.quiet`) count for
    nothing; other files are counted as passed over.

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


def _sorted_out(
    names: Sequence[str], extensions: Sequence[str],
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names with one of the extensions, and the rest of those that count."""
    found = sorted(name for name in names if not any(map(is_quiet, name.split("/"))))
    wanted = tuple(name for name in found if name.lower().endswith(tuple(extensions)))
    return wanted, tuple(sorted(set(found) - set(wanted)))


def _walk(folder: Path, below: str, above: frozenset[tuple[int, int]]) -> Iterator[str]:
    """The names of all files, through links; a link to a folder around it is not entered again."""
    about = folder.stat()
    around = above | {(about.st_dev, about.st_ino)}
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        if is_quiet(entry.name):
            continue
        name = below + entry.name
        if entry.is_dir():
            inner = entry.stat()
            if (inner.st_dev, inner.st_ino) not in around:
                yield from _walk(folder / entry.name, f"{name}/", around)
        elif entry.is_symlink() and not Path(entry).exists():
            raise DataError(f"{entry.path}: cannot be read: No such file or directory, to which "
                            f"it is a link: {os.readlink(entry)}")
        else:
            yield name


def _folder(path: Path, extensions: Sequence[str]) -> ImageSource:
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

    wanted, passed = _sorted_out(list(_walk(path, "", frozenset())), extensions)
    return ImageSource(path, wanted, read, lambda name: zlib.crc32(read(name)), passed)


def _zip(path: Path, extensions: Sequence[str]) -> ImageSource:
    archive = zipfile.ZipFile(path)
    entries: dict[str, zipfile.ZipInfo] = {}
    for entry in archive.infolist():
        raw = entry.filename.replace("\\", "/")  # as some programs of Windows write it
        name = "/".join(part for part in raw.split("/") if part not in ("", "."))
        if not entry.is_dir() and not raw.endswith("/"):
            problem = "there twice" if name in entries else _problem(entry)
            if problem:
                raise DataError(f"{path}: {raw}: {problem}; genbench does not read such a zip")
            entries[name] = entry

    def read(name: str) -> bytes:
        try:
            return archive.read(entries[name])
        except Exception as error:  # each compression raises its own
            raise DataError(f"{path}: {name}: corrupt entry: {error}") from None

    wanted, passed = _sorted_out(list(entries), extensions)
    return ImageSource(path, wanted, read, lambda name: entries[name].CRC, passed)


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
