"""Reading the idx files of MNIST and its relatives, strictly.

An idx file is a big-endian header (two zero bytes, a type, the number of dimensions, the length of
each as 32 bits) and the values; http://yann.lecun.com/exdb/mnist/.
"""

import gzip
import math
import zlib
from pathlib import Path

import numpy as np

from genbench.errors import DataError

_UNSIGNED_BYTE = 8


def find_idx(folder: Path, name: str) -> Path | None:
    """The file `name` of a folder, plain or else gzipped, or None."""
    for path in (folder / name, folder / f"{name}.gz"):
        if path.is_file():
            return path
    return None


def read_idx(path: Path, dims: tuple[int | None, ...]) -> np.ndarray:
    """The values of an idx file of unsigned bytes, uint8 of its shape.

    `dims` is the shape that is expected; None stands for any length.

    Raises:
        DataError: a file that cannot be read, is no idx file, is truncated or too long, or has
            another shape.
    """
    try:
        raw = path.read_bytes()
        if path.suffix == ".gz":
            raw = gzip.decompress(raw)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: cannot be read: {error}") from None
    start = 4 + 4 * len(dims)
    magic = bytes([0, 0, _UNSIGNED_BYTE, len(dims)])
    if raw[:4] != magic:
        raise DataError(
            f"{path}: not an idx file of {len(dims)}-dimensional bytes: it starts with "
            f"{raw[:4].hex(' ') or 'nothing'}, not {magic.hex(' ')}; delete it and fetch it again"
        )
    shape = tuple(
        int.from_bytes(raw[at : at + 4], "big") for at in range(4, start, 4)
    )
    if len(raw) < start or len(raw) - start != math.prod(shape):
        state = "truncated" if len(raw) - start < math.prod(shape) else "too long"
        raise DataError(
            f"{path}: {state}: its header announces {' × '.join(map(str, shape))} bytes and "
            f"{max(len(raw) - start, 0)} follow; delete it and fetch it again"
        )
    if any(want not in (None, have) for want, have in zip(dims, shape, strict=True)):
        wanted = " × ".join("any" if want is None else str(want) for want in dims)
        raise DataError(f"{path}: expected {wanted} values, got {' × '.join(map(str, shape))}")
    return np.frombuffer(raw, np.uint8, offset=start).reshape(shape)
