"""Stacked MNIST: three random digits as one image, which makes 1000 modes (Metz et al., 2017,
arXiv:1611.02163); the size of the training set is PacGAN's (Lin et al., 2018, arXiv:1712.04086).
"""

from pathlib import Path

import torch
from torch import Tensor

from genbench.data._mnist import MnistDataset
from genbench.data.base import Data, Noise, Split
from genbench.fields import Count
from genbench.seeding import derive, digest


class StackedMnist(MnistDataset):
    """Three random MNIST digits as red, green and blue; the label is their number, 0 to 999.

    Training stacks are made of the 55,000 training digits, test stacks of the 10,000 test digits;
    they are the same for every run.
    """

    cite = "metz2017unrolled"

    train_size: Count = 128000
    """The number of training stacks (2352 bytes each)."""
    test_size: Count = 26000
    """The number of test stacks."""

    def load(self, root: Path, *, offline: bool = False) -> Data:
        digits = self.read(root, offline=offline)
        return Data(
            "images", (3, 28, 28), _stacked(digits.test, self.test_size, "test"),
            _stacked(digits.train, self.train_size, "train"), classes=1000,
            class_names=tuple(f"{label:03d}" for label in range(1000)), levels=256,
            mode_count=1000,
            fingerprint=digest(f"{digits.fingerprint} {self.train_size} {self.test_size}", 16),
        )


def _stacked(split: Split, count: int, part: str) -> Split:
    """`count` stacks of three digits, drawn with replacement: (count, 3, 28, 28) uint8."""
    noise = Noise(derive("genbench", "dataset", "stacked_mnist", part))
    index = noise.integers("digits", len(split), count, 3)
    assert isinstance(split.x, Tensor)
    assert split.y is not None
    y = split.y[index] @ torch.tensor([100, 10, 1])
    return Split(split.x[:, 0][index], y)
