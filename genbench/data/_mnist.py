"""What MNIST and the datasets of the same format and split share.

An idx file is a big-endian header (two zero bytes, a type, the number of dimensions, the length of
each as 32 bits) and the values; http://yann.lecun.com/exdb/mnist/.
"""

import gzip
import math
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from genbench.data._download import ensure
from genbench.data.base import Data, Dataset, Split
from genbench.errors import DataError
from genbench.seeding import digest

DIGITS = tuple("0123456789")
_TRAIN, _VALIDATION, _TEST = 60_000, 5_000, 10_000
_UNSIGNED_BYTE = 8


@dataclass(frozen=True)
class MnistLike:
    """The three splits: 55,000 for training, the first 5,000 held out, and 10,000 for testing."""

    train: Split
    validation: Split
    test: Split
    fingerprint: str

    def data(self, class_names: tuple[str, ...]) -> Data:
        """As a dataset of 256 levels with ten classes, each of them a mode."""
        return Data(
            "images", (1, 28, 28), self.test, self.train, self.validation, classes=10,
            class_names=class_names, levels=256, mode_count=10, fingerprint=self.fingerprint,
        )


class MnistDataset(Dataset):
    """A dataset of the four idx files, plain or gzipped, in the folder `archive`."""

    kind = "images"
    labelled = True
    auto_classifier = True
    has_modes = True
    archive = "MNIST/raw"
    train_rows = 55000

    def files(self, root: Path) -> list[Path]:
        folder = root / self.archive
        names = [
            f"{part}-{what}" for part in ("train", "t10k")
            for what in ("images-idx3-ubyte", "labels-idx1-ubyte")
        ]
        return [_find_idx(folder, name) or folder / name for name in names]

    def read(self, root: Path, *, offline: bool) -> MnistLike:
        """The images as they are published.

        Raises:
            DataError: files missing that cannot be fetched, or corrupt.
        """

        def missing() -> list[Path]:
            return [path for path in self.files(root) if not path.is_file()]

        ensure(self.archive.partition("/")[0], root, missing, offline=offline)
        train_x, train_y = _pair(root / self.archive, "train", _TRAIN)
        test_x, test_y = _pair(root / self.archive, "t10k", _TEST)
        arrays = (train_x, train_y, test_x, test_y)
        return MnistLike(
            Split(train_x[_VALIDATION:], train_y[_VALIDATION:]),
            Split(train_x[:_VALIDATION], train_y[:_VALIDATION]),
            Split(test_x, test_y),
            digest("".join(digest(array.numpy().tobytes(), 32) for array in arrays), 16),
        )


def _pair(folder: Path, part: str, count: int) -> tuple[Tensor, Tensor]:
    """Images (count, 1, 28, 28) uint8 and labels (count,) int64."""
    images_path = _find_idx(folder, f"{part}-images-idx3-ubyte")
    labels_path = _find_idx(folder, f"{part}-labels-idx1-ubyte")
    assert images_path is not None
    assert labels_path is not None
    images = read_idx(images_path, (count, 28, 28))
    labels = read_idx(labels_path, (count,))
    if labels.max() > 9:
        raise DataError(f"{labels_path}: holds the label {labels.max()}; expected 0 to 9")
    y = torch.from_numpy(labels.astype(np.int64))
    return torch.from_numpy(images.copy()).unsqueeze(1), y


def _find_idx(folder: Path, name: str) -> Path | None:
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
