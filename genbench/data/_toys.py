"""What the toys share: fixed splits drawn from an exact distribution."""

from abc import abstractmethod
from pathlib import Path

import torch
from torch import Tensor

from genbench.data.base import Data, Dataset, Noise, Split, Truth
from genbench.fields import Count, Natural
from genbench.lookup import of_class
from genbench.seeding import derive, digest


class Toy(Dataset):
    """Points drawn from an exact distribution.

    The splits depend on the dataset's name and `test_seed`, never on a run's seed.
    """

    kind = "points"

    train_size: Natural = 0
    """The number of fixed training points; 0 draws fresh points for every batch."""
    test_size: Count = 20000
    """The number of fixed test points."""
    test_seed: Natural = 0
    """The seed of the test points, the same for every run."""

    @abstractmethod
    def truth(self) -> Truth:
        """The distribution that the options describe.

        Raises:
            DataError: they describe none.
        """

    def load(self, root: Path, *, offline: bool = False) -> Data:
        truth, name = self.truth(), of_class("dataset", type(self)).name

        def draw(size: int, part: object) -> Tensor:
            return truth.sample(size, Noise(derive("genbench", "dataset", name, part)))

        test = draw(self.test_size, self.test_seed)
        train = draw(self.train_size, "train") if self.train_size else test[:0]
        return Data(
            "points", tuple(test.shape[1:]), Split(test),
            Split(train) if self.train_size else None, truth=truth,
            fingerprint=digest(torch.cat([test, train]).numpy().tobytes(), 16),
        )
