"""No density, and the plainest disjoint support: example 1 of Arjovsky et al., 2017,
arXiv:1701.07875.

    x = (0, u),  u ~ U[0, 1]
"""

from pathlib import Path

import torch
from torch import Tensor

from genbench.data.base import Data, Dataset, Noise, Split
from genbench.fields import Count, Natural
from genbench.seeding import derive, digest


class Segment(Dataset):
    """The segment from (0, 0) to (0, 1), uniformly."""

    kind = "points"
    cite = "arjovsky2017wasserstein"

    train_size: Count = 20000
    """The number of fixed training points."""
    test_size: Count = 20000
    """The number of fixed test points."""
    test_seed: Natural = 0
    """The seed of the test points, the same for every run."""

    def load(self, root: Path, *, offline: bool = False) -> Data:
        train, test = _draw(self.train_size, "train"), _draw(self.test_size, self.test_seed)
        fingerprint = digest(torch.cat([test, train]).numpy().tobytes(), 16)
        return Data(
            "points", (2,), Split(test), Split(train), fingerprint=fingerprint, shared_unit=True
        )


def _draw(size: int, part: object) -> Tensor:
    height = Noise(derive("genbench", "dataset", "segment", part)).uniform("u", size)
    return torch.stack((torch.zeros(size), height), 1)
