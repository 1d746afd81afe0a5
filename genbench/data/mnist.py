"""MNIST (LeCun et al., 1998, yann.lecun.com/exdb/mnist)."""

from pathlib import Path

from genbench.data._mnist import DIGITS, MnistDataset
from genbench.data.base import Data


class Mnist(MnistDataset):
    """Handwritten digits, 28 × 28 grey: 55,000 to train on, 5,000 held out, 10,000 to test.

    Read from `MNIST/raw` below the data folder: the four idx files, plain or gzipped.
    """

    cite = "lecun1998gradient"

    def load(self, root: Path, *, offline: bool = False) -> Data:
        return self.read(root, offline=offline).data(DIGITS)
