"""What the toys share: fixed splits drawn from an exact distribution."""

import torch
from torch import Tensor

from genbench.data.base import Data, Split, Truth
from genbench.noise import Noise
from genbench.seeding import derive, digest


def points(
    name: str, truth: Truth, *, train_size: int, test_size: int, test_seed: int
) -> Data:
    """A dataset of points drawn from `truth`.

    The splits depend on the dataset's name and `test_seed`, never on a run's seed. With a
    `train_size` of 0 there is no training split: every batch is drawn afresh.
    """

    def draw(size: int, part: object) -> Tensor:
        return truth.sample(size, Noise(derive("genbench", "dataset", name, part)))

    test = draw(test_size, test_seed)
    train = draw(train_size, "train") if train_size else test[:0]
    return Data(
        "points", tuple(test.shape[1:]), Split(test), Split(train) if train_size else None,
        truth=truth, fingerprint=digest(torch.cat([test, train]).numpy().tobytes(), 16),
    )
