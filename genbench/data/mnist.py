"""MNIST: handwritten digits.

Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning applied to document
recognition", 1998, http://yann.lecun.com/exdb/mnist/.
"""

from pathlib import Path

from genbench.data._mnist import DIGITS, mnist_files, read_mnist
from genbench.data.base import Data, Dataset


class Mnist(Dataset):
    """Handwritten digits, 28 × 28 grey: 55,000 to train on, 5,000 held out, 10,000 to test.

    Read from `MNIST/raw` below the data folder: the four idx files, plain or gzipped.
    """

    kind = "images"
    labelled = True
    has_modes = True
    archive = "MNIST/raw"
    train_rows = 55000
    cite = "lecun1998gradient"

    def files(self, root: Path) -> list[Path]:
        return mnist_files(root, "MNIST")

    def load(self, root: Path, *, offline: bool = False) -> Data:
        return read_mnist(root, "MNIST", offline=offline).data(DIGITS)
