"""The stored arrays of a run, which note who was asked for: an accepted run keeps no others."""

from collections.abc import Iterator, Mapping

import numpy as np


class StoredArrays(Mapping[str, np.ndarray]):
    """Arrays by name; the names of those that were looked at come into `read`."""

    def __init__(self, whole: Mapping[str, np.ndarray], read: set[str]) -> None:
        self.whole = whole
        """The arrays, looked at by nobody."""
        self._read = read

    def __getitem__(self, name: str) -> np.ndarray:
        self._read.update({name} & self.whole.keys())
        return self.whole[name]

    def __iter__(self) -> Iterator[str]:
        self._read.update(self.whole)
        return iter(self.whole)

    def __len__(self) -> int:
        return len(self.whole)
