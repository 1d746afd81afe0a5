"""MNIST: handwritten digits.

Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning applied to document
recognition", 1998, http://yann.lecun.com/exdb/mnist/.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

from genbench.data._mnist import DIGITS, mnist_files, read_mnist
from genbench.data.base import Data, Dataset

__all__ = ["Mnist"]


class Mnist(Dataset):
    """Handwritten digits, 28 × 28 grey: 55,000 to train on, 5,000 held out, 10,000 to test.

    Read from `MNIST/raw` below the data folder: the four idx files, plain or gzipped.
    """

    kind: ClassVar[Literal["points", "images"]] = "images"
    labelled: ClassVar[bool] = True
    has_modes: ClassVar[bool] = True
    archive: ClassVar[str] = "MNIST/raw"
    train_rows: ClassVar[int] = 55000
    cite: ClassVar[str] = """@article{lecun1998gradient,
  title   = {Gradient-based Learning Applied to Document Recognition},
  author  = {LeCun, Yann and Bottou, L{\\'e}on and Bengio, Yoshua and Haffner, Patrick},
  journal = {Proceedings of the IEEE},
  volume  = {86},
  number  = {11},
  pages   = {2278--2324},
  year    = {1998}
}"""

    def files(self, root: Path) -> list[Path]:
        """The four idx files."""
        return mnist_files(root, "MNIST")

    def load(self, root: Path, *, offline: bool = False) -> Data:
        """Read the files, which torchvision downloads where they are missing."""
        return read_mnist(root, "MNIST", offline=offline).data(DIGITS)
