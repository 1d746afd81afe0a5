"""Image files → uint8 arrays of one shape, in memory or in a cache file."""

import contextlib
import io
import os
import shutil
import warnings
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np
from filelock import FileLock
from PIL import Image, ImageFile, ImageOps

from genbench.data._sources import FORMATS, ImageSource
from genbench.errors import DataError
from genbench.places import cache_folder
from genbench.seeding import digest
from genbench.visible import visible

_CACHE_FROM = 2**25
"""Bytes of decoded images from which on they are kept in a cache file."""
_CHUNK = 64
"""Files decoded by one task of the thread pool."""
_THREADS_FROM = 2**17
"""Bytes of a decoded image from which on threads pay; below, they wait for each other."""
_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
_GREY = ("1", "L", "LA", "La")
_COLOURED = ("CMYK", "P", "PA", "RGB", "RGBA", "RGBX", "RGBa", "YCbCr")
_GREYISH = 8
"""Levels by which the channels of a grey image may differ after lossy compression."""


@dataclass(frozen=True)
class Decoder:
    """Files of a source, decoded to one shape.

    Args:
        source: where the files are.
        names: which, and in which order.
        size: side that images are resized and cropped to, or None to take them as they are.
        channels: channels that images are converted to, or None to take them as they are.
        background: colour that shows through transparent pixels, or None to refuse these where
            the channels have no room for them.
        strict: refuse whatever would change what a picture shows, and so colours for grey.
    """

    source: ImageSource
    names: Sequence[str]
    size: int | None
    channels: int | None
    background: str | None = None
    strict: bool = False

    @cached_property
    def fingerprint(self) -> str:
        """A hash of the contents of the files, their order and the options."""
        lines = [f"images 2 {self.size} {self.channels} {self.background}"]
        lines += [f"{name} {checksum:08x}" for name, checksum in self._checksums.items()]
        return digest("\n".join(lines), 32)

    @cached_property
    def _checksums(self) -> dict[str, int]:
        return {name: self.source.checksum(name) for name in self.names}

    def array(self, memory_limit: int) -> np.ndarray:
        """All images (N, C, H, W) uint8; a memory map if they take over `memory_limit` bytes.

        Raises:
            DataError: an image that is corrupt, too large or of another shape than the first; no
                room for the cache.
        """
        with _bombs_refused():
            first = self._one(self.names[0])
            shape = (len(self.names), *first.shape)
            total = len(self.names) * first.nbytes
            if total <= min(_CACHE_FROM, memory_limit):
                out = np.empty(shape, np.uint8)
                self._fill(out)
                return out
            mapped = self._cached(shape, total)
        return mapped if total > memory_limit else np.array(mapped)

    def _cached(self, shape: tuple[int, ...], total: int) -> np.ndarray:
        """The memory map of the cache file, which is made if it is not there or damaged."""
        path = cache_folder() / "images" / f"{self.fingerprint}.npy"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(path.with_suffix(".lock")):
                mapped = _open(path, shape)
                if mapped is None:
                    free = shutil.disk_usage(path.parent).free
                    if free < total:
                        raise DataError(_advice(path, total, f"only {free >> 20} MiB are free"))
                    self._write(path, shape)
                    mapped = _open(path, shape)
        except OSError as error:
            raise DataError(_advice(path, total, str(error))) from None
        assert mapped is not None
        return mapped

    def _write(self, path: Path, shape: tuple[int, ...]) -> None:
        """Decode into a temporary file, then rename it."""
        temporary = path.with_suffix(".tmp")  # under the lock: one left by a killed run is ours
        try:
            out = np.lib.format.open_memmap(temporary, mode="w+", dtype=np.uint8, shape=shape)
            self._fill(out)
            out.flush()
            del out
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)

    def _fill(self, out: np.ndarray) -> None:
        """Decode every image into its row of `out`."""
        shape = out.shape[1:]

        def rows(start: int) -> None:
            for row in range(start, min(start + _CHUNK, len(out))):
                image = self._one(self.names[row])
                if image.shape != shape:
                    raise DataError(self._odd(row, image.shape, shape))
                out[row] = image

        large = out[0].nbytes >= _THREADS_FROM
        with ThreadPoolExecutor(min(8, os.cpu_count() or 1) if large else 1) as pool:
            tasks = [pool.submit(rows, start) for start in range(0, len(out), _CHUNK)]
            try:
                for task in tasks:
                    task.result()
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise

    def _odd(self, row: int, shape: tuple[int, ...], first: tuple[int, ...]) -> str:
        option = "size" if shape[1:] != first[1:] else "channels"
        return (
            f"{self.source.where(self.names[row])}: is {_shape(shape)}, where "
            f"{visible(self.names[0])} is {_shape(first)}; convert all to one{self._by(option)}"
        )

    def _by(self, option: str) -> str:
        return "" if self.strict else f" (the option `{option}` of image_folder does)"

    def _one(self, name: str) -> np.ndarray:
        """One image (C, H, W) uint8."""
        raw = self.source.read(name)
        if zlib.crc32(raw) != self._checksums[name]:
            raise DataError(f"{self.source.where(name)}: changed while it was read; run again "
                            "once the files are all there")
        try:
            return self._decoded(raw, name)
        except DataError as error:
            problem = str(error)
        except (Image.DecompressionBombError, Image.DecompressionBombWarning):
            problem = (
                f"has more than {Image.MAX_IMAGE_PIXELS} pixels, which Pillow takes for a "
                "decompression bomb; scale it down"
            )
        except Image.UnidentifiedImageError:
            problem = f"corrupt, or no image of the formats {', '.join(_formats(_tga(name)))}"
        except Exception as error:  # a damaged file can raise nearly anything in Pillow
            problem = f"corrupt, or no image: {error}"
        raise DataError(f"{self.source.where(name)}: {problem}")

    def _decoded(self, raw: bytes, name: str) -> np.ndarray:
        """The image of a file's bytes, upright, (C, H, W) uint8."""
        with Image.open(io.BytesIO(raw), formats=_formats(_tga(name))) as stored:
            _check(stored, raw)
            ImageOps.exif_transpose(stored, in_place=True)
            image = self._converted(_plain(stored))
        if self.size is not None and image.size != (self.size, self.size):
            image = ImageOps.fit(image, (self.size, self.size), Image.Resampling.LANCZOS)
        rows = np.asarray(image)  # (H, W) or (H, W, C)
        return rows[None] if rows.ndim == 2 else rows.transpose(2, 0, 1)

    def _converted(self, image: Image.Image) -> Image.Image:
        """Before the background, and with the channels asked for."""
        if image.mode in ("LA", "RGBA") and (self.background or self.channels in (1, 3)):
            if self.background is None:
                raise DataError("has transparent pixels; paste it on the background that it is "
                                f"to be seen on{self._by('background')}")
            below = Image.new("RGBA", image.size, self.background)
            solid = image.mode[:-1]
            image = Image.alpha_composite(below, image.convert("RGBA")).convert(solid)
        if self.channels is None or image.mode == _MODES[self.channels]:
            return image
        if self.strict and self.channels < 3 and _coloured(image):
            raise DataError("is in colour, and the dataset's images are grey; convert it the way "
                            "that you would report")
        return image.convert(_MODES[self.channels])


def _tga(name: str) -> bool:
    """Whether a file is called a TGA: they have no mark at their start to know them by."""
    return name.lower().endswith(FORMATS["TGA"])


@cache
def _formats(tga: bool) -> tuple[str, ...]:
    """The formats that are looked for, of those that this Pillow reads."""
    Image.init()
    return tuple(one for one in FORMATS if one in Image.OPEN and (tga or one != "TGA"))


def _check(image: ImageFile.ImageFile, raw: bytes) -> None:
    """Refuse images of which only a part would be read."""
    frames = getattr(image, "n_frames", 1)
    if frames > 1 and image.format != "MPO":  # what phones add to a JPEG: previews, depths
        raise DataError(f"holds {frames} frames or pages; save each as an image of its own")
    stored = [str(tile.args) for tile in image.tile]
    if image.mode in ("I", "F") or any(";16" in one for one in (image.mode, *stored)) or (
        image.format == "JPEG2000" and raw[raw.index(b"\xff\x51") + 40] & 127 > 7
    ):
        raise DataError(f"has pixels of more than 8 bits a channel ({image.mode}); scale them to "
                        "8 bits a channel")
    if image.mode not in (*_GREY, *_COLOURED):
        raise DataError(f"has pixels of mode {image.mode}; convert them to grey or RGB")


def _plain(image: Image.Image) -> Image.Image:
    """As grey or RGB, with an alpha channel only where a pixel is not opaque."""
    solid = "L" if image.mode in _GREY else "RGB"
    if not image.has_transparency_data:
        return image if image.mode == solid else image.convert(solid)
    image = image.convert(solid + "A")
    return image.convert(solid) if image.getchannel("A").getextrema()[0] == 255 else image


def _coloured(image: Image.Image) -> bool:
    """Whether the channels of an RGB image differ."""
    if image.mode not in ("RGB", "RGBA"):
        return False
    rows = np.asarray(image)[..., :3]
    return int((rows.max(-1) - rows.min(-1)).max()) > _GREYISH


def _open(path: Path, shape: tuple[int, ...]) -> np.ndarray | None:
    """The memory map of a cache file, or None if it is not there or damaged."""
    try:
        mapped = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return mapped if mapped.shape == shape and mapped.dtype == np.uint8 else None


@contextlib.contextmanager
def _bombs_refused() -> Iterator[None]:
    """Make an error of Pillow's warning of a decompression bomb, in all threads."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Pillow says of odd metadata
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


def _shape(shape: tuple[int, ...]) -> str:
    return f"{shape[2]} × {shape[1]} with {shape[0]} channel{'s' if shape[0] != 1 else ''}"


def _advice(path: Path, total: int, problem: str) -> str:
    return (
        f"{path}: cannot hold {total >> 20} MiB of decoded images: {problem}; name another folder "
        "in the environment variable GENBENCH_CACHE"
    )
