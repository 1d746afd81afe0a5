"""Fashion-MNIST: articles of clothing in the format of MNIST.

H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine
Learning Algorithms", 2017, https://arxiv.org/abs/1708.07747.
"""

from pathlib import Path

from genbench.data._mnist import mnist_files, read_mnist
from genbench.data.base import Data, Dataset

_NAMES = (
    "T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag",
    "ankle boot",
)


class FashionMnist(Dataset):
    """Articles of clothing, 28 × 28 grey: 55,000 to train on, 5,000 held out, 10,000 to test.

    Read from `FashionMNIST/raw` below the data folder: the four idx files, plain or gzipped.
    """

    kind = "images"
    labelled = True
    has_modes = True
    archive = "FashionMNIST/raw"
    train_rows = 55000
    cite = "xiao2017fashion"

    def files(self, root: Path) -> list[Path]:
        return mnist_files(root, "FashionMNIST")

    def load(self, root: Path, *, offline: bool = False) -> Data:
        return read_mnist(root, "FashionMNIST", offline=offline).data(_NAMES)
