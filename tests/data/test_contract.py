"""A dataset of somebody else keeps what it promises, or is refused in one line."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from genbench.data._contract import kept
from genbench.data.base import Data, Split
from genbench.data.scaling import scaling_for
from genbench.errors import DataError

X = torch.randn(20, 2)
Y = torch.zeros(20, dtype=torch.int64)
POINTS = Data("points", (2,), Split(X), Split(X))
IMAGES = Data("images", (1, 8, 8), Split(torch.zeros(20, 1, 8, 8, dtype=torch.uint8), Y),
              Split(torch.zeros(20, 1, 8, 8, dtype=torch.uint8), Y), classes=1, levels=17)


def test_what_keeps_its_promise() -> None:
    for data in (POINTS, IMAGES):
        found = kept(data, "mine")
        assert found.fingerprint
        assert replace(found, fingerprint="") == data


@pytest.mark.parametrize(("data", "says"), [
    (None, "load gave NoneType, not Data"),
    (replace(POINTS, kind="words"), "its kind is 'words'"),
    (replace(POINTS, kind="images"), "images need `levels`"),
    (replace(IMAGES, levels=300), "images need `levels`"),
    (replace(POINTS, train=None), "neither training rows nor a true distribution"),
    (replace(POINTS, test=None), "its test rows: NoneType, not a Split"),
    (replace(POINTS, test=Split(X[:0])), r"shape \(0, 2\), where \(N, 2\) was promised"),
    (replace(POINTS, train=Split(X[:, :1])), r"its training rows: shape \(20, 1\)"),
    (replace(POINTS, train=Split(X.double())), "float64 values; points are float32"),
    (replace(POINTS, train=Split(X.double().numpy())), "float64 values; points are float32"),
    (replace(POINTS, test=Split(X / 0)), "some are NaN or infinite"),
    (replace(POINTS, validation=Split(X, Y[:3])), "its validation rows: labels"),
    (replace(IMAGES, test=Split(IMAGES.test.x, Y + 1)), "labels from 1 to 1, but `classes` is 1"),
])
def test_what_does_not(data: Any, says: str) -> None:
    with pytest.raises(DataError, match=f"dataset 'mine': .*{says}"):
        kept(data, "mine")


@pytest.mark.parametrize("rows", [X * torch.tensor([1.0, 0.0]), X[:1]])
def test_what_never_changes_cannot_be_standardised(rows: torch.Tensor) -> None:
    with pytest.raises(DataError, match="never changes"):
        scaling_for(replace(POINTS, train=Split(rows)), "standard", False)
    assert scaling_for(replace(POINTS, train=Split(rows)), "raw", False).scale == "raw"
