"""CIFAR-10: small colour photographs.

A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009,
https://www.cs.toronto.edu/~kriz/cifar.html.
"""

from pathlib import Path

import numpy as np
import torch

from genbench.data._cifar import read_batch
from genbench.data._download import ensure
from genbench.data.base import Data, Dataset, Split
from genbench.errors import DataError
from genbench.fields import Natural
from genbench.seeding import digest

_FOLDER = "cifar-10-batches-py"
_TRAIN = tuple(f"data_batch_{number}" for number in range(1, 6))
_TEST = "test_batch"
_ROWS = 10_000
_NAMES = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)


class Cifar10(Dataset):
    """Colour photographs of ten classes, 32 × 32: 50,000 to train on and 10,000 to test.

    Read from `cifar-10-batches-py` below the data folder, the "python version" of the archive.
    """

    kind = "images"
    labelled = True
    has_modes = True
    archive = "cifar-10-batches-py"
    train_rows = 50000
    cite = "krizhevsky2009learning"

    validation: Natural = 0
    """How many training images, the last of the file, are held out for validation."""

    def files(self, root: Path) -> list[Path]:
        return [root / _FOLDER / name for name in (*_TRAIN, _TEST)]

    def load(self, root: Path, *, offline: bool = False) -> Data:
        files = self.files(root)
        ensure(
            "CIFAR10", root, lambda: [path for path in files if not path.is_file()],
            offline=offline,
        )
        batches = [read_batch(path, _ROWS) for path in files]
        x = torch.from_numpy(np.concatenate([images for images, _ in batches]))
        y = torch.from_numpy(np.concatenate([labels for _, labels in batches]))
        last = len(x) - _ROWS
        first = last - self.validation
        if first <= 0:
            raise DataError(f"cifar10: validation: expected less than {last}, got {last - first}")
        return Data(
            "images", (3, 32, 32), Split(x[last:], y[last:]), Split(x[:first], y[:first]),
            Split(x[first:last], y[first:last]) if self.validation else None, classes=10,
            class_names=_NAMES, levels=256, mode_count=10,
            fingerprint=digest(x.numpy().tobytes() + y.numpy().tobytes(), 16),
        )
