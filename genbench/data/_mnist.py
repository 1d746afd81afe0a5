"""What MNIST and the datasets of the same format and split share."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from genbench.data._download import ensure
from genbench.data._idx import find_idx, read_idx
from genbench.data.base import Data, Split
from genbench.errors import DataError
from genbench.seeding import digest

DIGITS = tuple("0123456789")
_TRAIN, _VALIDATION, _TEST = 60_000, 5_000, 10_000


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


def read_mnist(root: Path, torchvision_class: str, *, offline: bool) -> MnistLike:
    """Read `root/<torchvision_class>/raw`, idx files plain or gzipped.

    Raises:
        DataError: files missing that cannot be fetched, or corrupt.
    """
    folder = root / torchvision_class / "raw"

    def missing() -> list[Path]:
        return [path for path in mnist_files(root, torchvision_class) if not path.is_file()]

    ensure(torchvision_class, root, missing, offline=offline)
    train_x, train_y = _pair(folder, "train", _TRAIN)
    test_x, test_y = _pair(folder, "t10k", _TEST)
    arrays = (train_x, train_y, test_x, test_y)
    return MnistLike(
        Split(train_x[_VALIDATION:], train_y[_VALIDATION:]),
        Split(train_x[:_VALIDATION], train_y[:_VALIDATION]),
        Split(test_x, test_y),
        digest("".join(digest(array.numpy().tobytes(), 32) for array in arrays), 16),
    )


def mnist_files(root: Path, torchvision_class: str) -> list[Path]:
    """The four idx files, gzipped where that is all there is."""
    folder = root / torchvision_class / "raw"
    names = [
        f"{part}-{what}" for part in ("train", "t10k")
        for what in ("images-idx3-ubyte", "labels-idx1-ubyte")
    ]
    return [find_idx(folder, name) or folder / name for name in names]


def _pair(folder: Path, part: str, count: int) -> tuple[Tensor, Tensor]:
    """Images (count, 1, 28, 28) uint8 and labels (count,) int64."""
    images_path = find_idx(folder, f"{part}-images-idx3-ubyte")
    labels_path = find_idx(folder, f"{part}-labels-idx1-ubyte")
    assert images_path is not None
    assert labels_path is not None
    images = read_idx(images_path, (count, 28, 28))
    labels = read_idx(labels_path, (count,))
    if labels.max() > 9:
        raise DataError(f"{labels_path}: holds the label {labels.max()}; expected 0 to 9")
    y = torch.from_numpy(labels.astype(np.int64))
    return torch.from_numpy(images.copy()).unsqueeze(1), y
