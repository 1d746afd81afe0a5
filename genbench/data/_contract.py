"""What a dataset of somebody else must give, checked when it is loaded."""

import hashlib
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from genbench.data.base import Data, Split
from genbench.errors import DataError

_CHUNK = 4096
"""Rows of a memory map that are read at once."""


def kept(data: object, name: str, version: int = 1) -> Data:
    """The data, if they are what `Data` and `Split` promise, with a hash of their contents.

    Behind it stands the dataset's version, where it is a later one than 1.

    Raises:
        DataError: naming the dataset and the first thing that is not.
    """
    fault = _fault(data)
    if fault:
        raise DataError(f"dataset '{name}': {fault}")
    assert isinstance(data, Data)
    own = data.fingerprint if ":" not in name else ""
    mark = f"-v{version}" if version != 1 else ""
    return replace(data, fingerprint=f"{own or _contents(data)}{mark}")


def _contents(data: Data) -> str:
    """A hash of everything that the data are."""
    facts = [data.kind, data.shape, data.levels, data.classes, data.class_names, data.mode_count]
    total = hashlib.blake2b(repr(facts).encode(), digest_size=8)
    for name, split in (("test", data.test), ("train", data.train), ("held", data.validation)):
        for rows in () if split is None else (split.x, split.y, split.pixel_probs):
            if rows is not None:
                array = rows.numpy() if isinstance(rows, Tensor) else rows
                total.update(f"{name} {array.dtype} {array.shape}".encode())
                for start in range(0, len(array), _CHUNK):
                    total.update(np.ascontiguousarray(array[start:start + _CHUNK]).data)
    return total.hexdigest()


def _fault(data: object) -> str:
    if not isinstance(data, Data):
        return f"load gave {type(data).__name__}, not Data"
    if data.kind not in ("points", "images"):
        return f"its kind is {data.kind!r}, not 'points' or 'images'"
    if data.kind == "images" and not (isinstance(data.levels, int) and 2 <= data.levels <= 256):
        return "images need `levels`, the number of their grey levels, 2 to 256"
    if data.train is None and data.truth is None:
        return "it has neither training rows nor a true distribution to draw them from"
    parts = {"test": data.test, "training": data.train, "validation": data.validation}
    for part, split in parts.items():
        if split is None and part != "test":
            continue
        fault = _split_fault(split, data)
        if fault:
            return f"its {part} rows: {fault}"
    return ""


def _split_fault(split: object, data: Data) -> str:
    if not isinstance(split, Split):
        return f"{type(split).__name__}, not a Split"
    x, y = split.x, split.y
    if tuple(x.shape[1:]) != tuple(data.shape) or len(x) == 0:
        return f"shape {tuple(x.shape)}, where (N, {', '.join(map(str, data.shape))}) was promised"
    wanted = "float32" if data.kind == "points" else "uint8"
    if str(x.dtype).removeprefix("torch.") != wanted:
        return f"{str(x.dtype).removeprefix('torch.')} values; {data.kind} are {wanted}"
    if isinstance(x, Tensor) and x.is_floating_point() and not bool(torch.isfinite(x).all()):
        return "some are NaN or infinite"
    if y is not None and (y.shape != (len(x),) or y.dtype != torch.int64):
        return f"labels {tuple(y.shape)} {y.dtype}, not ({len(x)},) torch.int64"
    if y is not None and not bool(((y >= 0) & (y < data.classes)).all()):
        return f"labels from {int(y.min())} to {int(y.max())}, but `classes` is {data.classes}"
    return ""
