"""Reading the batches of CIFAR-10, which are pickles, without running anything that they say."""

import io
import pickle
from pathlib import Path

import numpy as np

from genbench.errors import DataError

_RECONSTRUCT = np.empty(0).__reduce__()[0]
_PERMITTED = {
    ("numpy.core.multiarray", "_reconstruct"): _RECONSTRUCT,
    ("numpy._core.multiarray", "_reconstruct"): _RECONSTRUCT,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
}


class _ArraysOnly(pickle.Unpickler):
    """An unpickler that knows numpy arrays and plain containers, and nothing else."""

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
