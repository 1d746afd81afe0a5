"""CIFAR-10: small colour photographs (Krizhevsky, 2009)."""

import io
import pickle
from pathlib import Path

import numpy as np
import torch

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
_RECONSTRUCT = np.empty(0).__reduce__()[0]
_PERMITTED = {
    ("numpy.core.multiarray", "_reconstruct"): _RECONSTRUCT,
    ("numpy._core.multiarray", "_reconstruct"): _RECONSTRUCT,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
}


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


class _ArraysOnly(pickle.Unpickler):
    """An unpickler of numpy arrays and plain containers alone: a pickle can run anything."""

    def find_class(self, module: str, name: str) -> object:
        if (module, name) not in _PERMITTED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which is not permitted")
        return _PERMITTED[module, name]


def read_batch(path: Path, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Images (rows, 3, 32, 32) uint8 and labels (rows,) int64 of one batch file.

    Raises:
        DataError: a file that cannot be read, is corrupt, or holds something else.
    """
    try:
        batch = _ArraysOnly(io.BytesIO(path.read_bytes()), encoding="bytes").load()
    except Exception as error:  # a damaged pickle can raise nearly anything
        message = (str(error) or "no message").splitlines()[0]
        raise DataError(
            f"{path}: corrupt, or not a batch of CIFAR-10 ({type(error).__name__}: {message}); "
            "delete it and fetch it again"
        ) from None
    entries = {
        key.decode() if isinstance(key, bytes) else key: value for key, value in batch.items()
    } if isinstance(batch, dict) else {}
    images, labels = entries.get("data"), entries.get("labels")
    if not isinstance(images, np.ndarray) or images.dtype != np.uint8 or (
        images.shape != (rows, 3072)
    ):
        raise DataError(f"{path}: expected 'data' of {rows} × 3072 bytes")
    if not isinstance(labels, list) or len(labels) != rows or not all(
        isinstance(label, int) and 0 <= label < 10 for label in labels
    ):
        raise DataError(f"{path}: expected 'labels', a list of {rows} numbers from 0 to 9")
    return images.reshape(rows, 3, 32, 32), np.array(labels, np.int64)
