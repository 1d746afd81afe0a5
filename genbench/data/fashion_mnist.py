"""Fashion-MNIST: articles of clothing in the format of MNIST (Xiao et al., 2017,
arXiv:1708.07747).
"""

from pathlib import Path

from genbench.data._mnist import MnistDataset
from genbench.data.base import Data

_NAMES = (
    "T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag",
    "ankle boot",
)


class FashionMnist(MnistDataset):
    """Articles of clothing, 28 × 28 grey: 55,000 to train on, 5,000 held out, 10,000 to test.

    Read from `FashionMNIST/raw` below the data folder: the four idx files, plain or gzipped.
    """

    archive = "FashionMNIST/raw"
    cite = "xiao2017fashion"

    def load(self, root: Path, *, offline: bool = False) -> Data:
        return self.read(root, offline=offline).data(_NAMES)
