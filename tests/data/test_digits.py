"""The digits of scikit-learn: a fixed, stratified split of 17 levels."""

from __future__ import annotations

from pathlib import Path

import torch
from sklearn.datasets import load_digits

from genbench.data.digits import Digits


def test_split_is_a_stratified_partition() -> None:
    data = Digits().load(Path("/nonexistent"), offline=True)
    parts = (data.train, data.validation, data.test)
    assert [len(part) for part in parts] == [1197, 100, 500]
    assert data.shape == (1, 8, 8)
    assert (data.levels, data.classes, data.mode_count) == (17, 10, 10)
    assert int(data.train.x.max()) == 16
    rows = torch.cat([part.x for part in parts]).flatten(1)
    theirs = torch.from_numpy(load_digits().data).to(torch.uint8)
    assert sorted(map(tuple, rows.tolist())) == sorted(map(tuple, theirs.tolist()))
    share = torch.bincount(torch.cat([part.y for part in parts])) / 1797
    for part in parts:
        assert ((torch.bincount(part.y, minlength=10) - share * len(part)).abs() <= 1).all()
    first = torch.bincount(data.test.y[:100], minlength=10)
    assert int(first.min()) >= 9  # any stretch has all classes


def test_labels_stay_with_their_images() -> None:
    data = Digits().load(Path("/nonexistent"))
    bunch = load_digits()
    label = {tuple(map(int, row)): int(y) for row, y in zip(bunch.data, bunch.target, strict=True)}
    for row, y in zip(data.test.x.flatten(1).tolist(), data.test.y.tolist(), strict=True):
        assert label[tuple(row)] == y
    assert data.fingerprint == Digits().load(Path("/elsewhere")).fingerprint
