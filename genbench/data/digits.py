"""The handwritten digits that come with scikit-learn (Alpaydin, Kaynak, 1998,
doi:10.24432/C50P49): the 1797 images of the test part, each pixel a count of 0 to 16 black dots.
"""

from pathlib import Path

import numpy as np
import torch

from genbench.data._mnist import DIGITS
from genbench.data.base import Data, Dataset, Split
from genbench.seeding import derive, digest

_TEST, _VALIDATION = 500, 100


class Digits(Dataset):
    """Handwritten digits, 8 × 8 in 17 grey levels: 1197 to train on, 100 held out, 500 to test.

    The split is fixed, and each part has the classes in the same proportions.
    """

    kind = "images"
    labelled = True
    auto_classifier = True
    has_modes = True
    train_rows = 1197
    cite = "alpaydin1998optical"

    def load(self, root: Path, *, offline: bool = False) -> Data:
        from sklearn.datasets import load_digits

        bunch = load_digits()
        x = torch.from_numpy(bunch.images.astype(np.uint8)).unsqueeze(1)  # (1797, 1, 8, 8)
        y = torch.from_numpy(bunch.target.astype(np.int64))
        order = torch.tensor(_stratified(y.tolist()))
        parts = order.split([_TEST, _VALIDATION, len(x) - _TEST - _VALIDATION])
        test, validation, train = (Split(x[part], y[part]) for part in parts)
        return Data(
            "images", (1, 8, 8), test, train, validation, classes=10, class_names=DIGITS,
            levels=17, mode_count=10,
            fingerprint=digest(x[order].numpy().tobytes() + y[order].numpy().tobytes(), 16),
        )


def _stratified(labels: list[int]) -> list[int]:
    """A fixed stratified order of the rows: any consecutive rows have the classes in proportion.

    Rows are ranked within their class by a hash of their number, and ordered by that rank divided
    by the size of the class.
    """
    ranked = sorted(range(len(labels)), key=lambda row: derive("genbench", "digits", row))
    seen = dict.fromkeys(labels, 0)
    place: dict[int, float] = {}
    for row in ranked:
        place[row] = (seen[labels[row]] + 0.5) / labels.count(labels[row])
        seen[labels[row]] += 1
    return sorted(ranked, key=lambda row: place[row])
