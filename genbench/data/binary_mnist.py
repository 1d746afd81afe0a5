"""Binarised MNIST: a pixel's grey value is its chance of a 1 (Salakhutdinov, Murray, 2008);
training on fresh draws in every batch is that of Burda et al., 2016, arXiv:1509.00519.

Its likelihoods are not those of grey-scale MNIST. Left out: the fixed files of Larochelle and
Murray (2011); the static draw here is genbench's own.
"""

from pathlib import Path

import torch
from torch import Tensor

from genbench.data._mnist import DIGITS, MnistDataset
from genbench.data.base import Data, Noise, Split
from genbench.fields import Literal
from genbench.seeding import derive, digest

_PIECE = 5000
"""Rows drawn at once, to bound memory."""


class BinaryMnist(MnistDataset):
    """MNIST with pixels of 0 and 1, split as `mnist` is.

    The held-out and the test images are one fixed draw for every run.
    """

    cite = "salakhutdinov2008quantitative"

    binarisation: Literal["dynamic", "static"] = "dynamic"
    """Whether training images are resampled for every batch (dynamic binarisation), or once for
    all runs."""

    def load(self, root: Path, *, offline: bool = False) -> Data:
        grey = self.read(root, offline=offline)
        warnings: tuple[str, ...] = ()
        train = _binarised(grey.train, "train")
        if self.binarisation == "dynamic":
            assert isinstance(grey.train.x, Tensor)
            train.pixel_probs = grey.train.x
        else:
            warnings = (
                "binary_mnist: the static binarisation is genbench's own seeded draw, not the "
                "files of Larochelle and Murray (2011)",
            )
        return Data(
            "images", (1, 28, 28), _binarised(grey.test, "test"), train,
            _binarised(grey.validation, "validation"), classes=10, class_names=DIGITS, levels=2,
            warnings=warnings, mode_count=10,
            fingerprint=digest(f"{grey.fingerprint} {self.binarisation}", 16),
        )


def _binarised(split: Split, part: str) -> Split:
    """One fixed draw of a split of grey images; grey 0 is never 1, and grey 255 always."""
    noise = Noise(derive("genbench", "dataset", "binary_mnist", part))
    grey = Split(split.x, split.y, torch.as_tensor(split.x))
    pieces = torch.arange(len(split)).split(_PIECE)
    rows = [grey.take(index, noise.child(number))[0] for number, index in enumerate(pieces)]
    return Split(torch.cat(rows), split.y)
