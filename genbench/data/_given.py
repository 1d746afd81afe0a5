"""Samples that were made elsewhere: a folder or zip of images, or an array in a file.

Nothing in a file is executed: arrays are read without pickles, tensors with `weights_only`.
"""

import math
import re
import warnings
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from genbench.data._decode import Decoder
from genbench.data._sources import count_lossy, open_images
from genbench.data.base import Data
from genbench.errors import DataError

_ARRAYS = (".npy", ".npz", ".pt", ".pth")
"""File names that hold an array; everything else is a folder or zip of images."""
_NAMES = ("samples", "images", "x", "arr_0")
"""Which of several arrays is meant, in this order."""
_LARGEST = 2**34
"""Bytes of the largest array: more is taken for a zip bomb."""
_CHUNK = 4096
_SLACK = 0.02
"""How far floats may exceed the range, as a fraction of it; they are clamped."""


@dataclass(frozen=True)
class Given:
    """Rows of samples as a dataset's own: bytes (N, C, H, W) uint8, or points (N, D) float32."""

    rows: Tensor
    notes: tuple[str, ...] = ()
    """Caveats for a report."""


def read_given(path: Path, data: Data, low: float = 0.0, high: float = 1.0) -> Given:
    """Read samples of the shape of `data`; floats of images run from `low` to `high`.

    Raises:
        DataError: not there, not readable, of another shape, values that are no such samples, or a
            range where none are floats.
    """
    ranged = (low, high) != (0.0, 1.0)
    if path.is_dir() or path.suffix.lower() not in _ARRAYS:
        if data.kind != "images":
            raise DataError(f"{path}: samples of points are an array of shape (N, "
                            f"{data.shape[0]}), in one of {', '.join(_ARRAYS)}")
        _no_range(ranged, "pictures", path)
        return _pictures(path, data)
    if path.exists() and not path.is_file():  # a pipe would never end
        raise DataError(f"{path}: not a plain file")
    array, note = _READERS[path.suffix.lower()](path)
    _not_huge(array.nbytes, path)
    if data.kind == "points" or array.dtype.kind in "iu":
        _no_range(ranged, "points" if data.kind == "points" else "whole numbers", path)
    if data.kind == "points":
        return Given(_points(array, data, path), note)
    given = _images(array, data, path, low, high)
    return replace(given, notes=(*note, *given.notes))


def _no_range(ranged: bool, what: str, path: Path) -> None:
    if ranged:
        raise DataError(f"{path}: holds {what}, and black and white are said (range) of images of "
                        "floats alone; leave it out")


def _pictures(path: Path, data: Data) -> Given:
    if path.is_file() and not zipfile.is_zipfile(path):
        raise DataError(f"{path}: samples are a folder or zip of images, or an array in one of "
                        f"{', '.join(_ARRAYS)}")
    source = open_images(path)
    _not_few(len(source.names), path)
    rows = Decoder(source, source.names, None, data.shape[0], strict=True).array(_LARGEST)
    if tuple(rows.shape[1:]) != data.shape:
        raise DataError(
            f"{path}: its images are {rows.shape[3]} × {rows.shape[2]}, and those of the dataset "
            f"{data.shape[2]} × {data.shape[1]}; resize them the way that you would report"
        )
    lossy = count_lossy(source.names)
    notes = (
        f"{lossy} of the {len(source.names)} samples are JPEGs: distances measure compression too",
    ) if lossy else ()
    return Given(torch.from_numpy(np.array(rows)), (*notes, *source.notes))


def _images(array: np.ndarray, data: Data, path: Path, low: float, high: float) -> Given:
    channels, height, width = data.shape
    if array.ndim == 3 and channels == 1:
        array = array[:, None]
    if array.ndim == 2 and array.shape[1] == math.prod(data.shape):
        if channels > 1:
            raise DataError(f"{path}: holds rows of {array.shape[1]} numbers, which do not say "
                            f"where the channels are; give (N, {channels}, {height}, {width})")
        array = array.reshape(-1, *data.shape)
    if array.ndim == 4 and array.shape[1:] == (height, width, channels) != data.shape:
        array = array.transpose(0, 3, 1, 2)
    if array.ndim != 4 or array.shape[1:] != data.shape:
        raise DataError(f"{path}: holds an array of shape {array.shape}, and the dataset's images "
                        f"are (N, {channels}, {height}, {width})")
    _not_few(len(array), path)
    if array.dtype.kind in "iu":
        return Given(_whole(array, data, path))
    return _floats(array, path, low, high)


def _whole(array: np.ndarray, data: Data, path: Path) -> Tensor:
    """Bytes; refused where they can hardly be meant as such."""
    least, most = int(array.min()), int(array.max())
    problem = ""
    if least < 0 or most > 255:
        problem = "images are bytes from 0 to 255, or floats"
    elif most - least < 2:
        problem = "less than two grey levels of the bytes from 0 to 255; multiply ones by 255"
    elif data.levels is not None and most < data.levels < 256:
        problem = (f"these are the {data.levels} levels of the dataset as they count, and samples "
                   f"are bytes from 0 to 255: multiply by 255/{data.levels - 1}")
    if problem:
        raise DataError(f"{path}: whole numbers from {least} to {most}: {problem}")
    return torch.from_numpy(array.astype(np.uint8))


def _floats(array: np.ndarray, path: Path, low: float, high: float) -> Given:
    if array.dtype.kind != "f":
        raise DataError(f"{path}: holds values of type {array.dtype}; images are bytes or floats")
    out = torch.empty(array.shape, dtype=torch.uint8)
    least, most, beyond = math.inf, -math.inf, 0
    for start in range(0, len(array), _CHUNK):
        part = torch.from_numpy(np.array(array[start:start + _CHUNK], np.float64))
        _finite(part, start, path)
        least, most = min(least, float(part.min())), max(most, float(part.max()))
        beyond += int(((part < low) | (part > high)).sum())
        scaled = (part - low) / (high - low) * 255
        out[start:start + _CHUNK] = scaled.round().clamp(0, 255).to(torch.uint8)
    slack = _SLACK * (high - low)
    if least < low - slack or most > high + slack:
        raise DataError(
            f"{path}: values from {least:.4g} to {most:.4g}, where images run from {low:g} to "
            f"{high:g}; say what black and white are, as in --range -1 1"
        )
    if most - least < (high - low) / 128:
        raise DataError(f"{path}: values from {least:.4g} to {most:.4g}: less than two grey "
                        f"levels of the range from {low:g} to {high:g}")
    share = beyond / array.size
    notes = []
    if share > 0.01:
        notes.append(f"{100 * share:.1f} % of the samples' values lay out of range, clamped")
    if most - least < (high - low) * (1 + _SLACK) / 2:
        notes.append(f"the samples' values run from {least:.4g} to {most:.4g}, in less than half "
                     f"of the range from {low:g} to {high:g}")
    return Given(out, tuple(notes))


def _points(array: np.ndarray, data: Data, path: Path) -> Tensor:
    if array.ndim != 2 or array.shape[1] != data.shape[0] or array.dtype.kind not in "fiu":
        raise DataError(f"{path}: holds {array.dtype} values of shape {array.shape}, and samples "
                        f"of the dataset are numbers of shape (N, {data.shape[0]})")
    _not_few(len(array), path)
    rows = torch.from_numpy(np.array(array, np.float32))
    _finite(rows, 0, path)
    return rows


def _not_huge(size: int, path: Path) -> None:
    if size > _LARGEST:
        raise DataError(f"{path}: an array of {size >> 30} GiB; give fewer samples")


def _not_few(samples: int, path: Path) -> None:
    if samples < 2:
        count = "one sample" if samples == 1 else "no samples"
        raise DataError(f"{path}: holds {count}; give at least 2")


def _finite(part: Tensor, start: int, path: Path) -> None:
    bad = (~torch.isfinite(part.flatten(1)).all(1)).nonzero()
    if len(bad):
        raise DataError(f"{path}: {len(bad)} samples hold NaN or infinity, the first is number "
                        f"{start + int(bad[0, 0])}")


_Read = tuple[np.ndarray, tuple[str, ...]]
"""An array, and what to say of it."""


def _npy(path: Path) -> _Read:
    try:
        found = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # what a damaged header says is raised as nearly anything
        raise _unreadable(path, error) from None
    if not isinstance(found, np.ndarray):
        raise DataError(f"{path}: is no array of NumPy")
    return found, ()


def _npz(path: Path) -> _Read:
    try:
        with zipfile.ZipFile(path) as archive:
            largest = max((entry.file_size for entry in archive.infolist()), default=0)
        _not_huge(largest, path)
        with np.load(path, allow_pickle=False) as archive:
            name, note = _chosen(archive.files, path)
            return np.asarray(archive[name]), note
    except DataError:
        raise
    except Exception as error:  # zlib, zipfile and NumPy each raise their own
        raise _unreadable(path, error) from None


def _pt(path: Path) -> _Read:
    note: tuple[str, ...] = ()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged or hostile file can raise nearly anything
        raise _unreadable(path, error) from None
    if isinstance(found, Mapping):
        tensors = {str(key): value for key, value in found.items() if isinstance(value, Tensor)}
        name, note = _chosen(list(tensors), path)
        found = tensors[name]
    if not isinstance(found, Tensor):
        raise DataError(f"{path}: holds a {type(found).__name__}, not a tensor of samples")
    if found.is_meta or found.is_nested or found.layout != torch.strided:
        raise DataError(f"{path}: holds a sparse, nested or meta tensor; save a dense one")
    if found.is_quantized or (found.is_floating_point() and found.dtype not in _OF_NUMPY):
        found = found.dequantize() if found.is_quantized else found.float()
    try:
        return found.detach().resolve_conj().resolve_neg().numpy(), note
    except (TypeError, RuntimeError) as error:  # torch has more types than NumPy
        raise _unreadable(path, error) from None


_OF_NUMPY = (torch.float16, torch.float32, torch.float64)
_READERS: dict[str, Callable[[Path], _Read]] = {
    ".npy": _npy, ".npz": _npz, ".pt": _pt, ".pth": _pt,
}


def _chosen(names: list[str], path: Path) -> tuple[str, tuple[str, ...]]:
    """The array that is meant, and a note where another might have been."""
    several = ", ".join(names[:8]) or "nothing"
    for name in _NAMES if len(names) != 1 else names:
        if name in names:
            sure = name == _NAMES[0] or len(names) == 1
            return name, () if sure else (f"of {several} in {path.name}, {name} is read",)
    raise DataError(f"{path}: holds {several}; call the array of samples `samples`")


def _unreadable(path: Path, error: Exception) -> DataError:
    if isinstance(error, FileNotFoundError):
        return DataError(f"{path}: there is no such file")
    lines = str(error).strip().splitlines()
    text = lines[0] if lines else type(error).__name__
    if re.search("pickle|weights.only|python objects", text.lower()):
        text = "it holds Python objects, which are never loaded; save a plain array or tensor"
    return DataError(f"{path}: cannot be read: {text}")
