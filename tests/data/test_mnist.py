"""MNIST and what is made of it: strict reading, splits, binarisation and stacks."""

from __future__ import annotations

import gzip
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from genbench.data._mnist import read_idx
from genbench.data.binary_mnist import BinaryMnist
from genbench.data.fashion_mnist import FashionMnist
from genbench.data.mnist import Mnist
from genbench.data.stacked_mnist import StackedMnist
from genbench.errors import DataError
from genbench.noise import Noise

PARTS = {"train": 60_000, "t10k": 10_000}


def idx(array: np.ndarray) -> bytes:
    header = bytes([0, 0, 8, array.ndim])
    return header + b"".join(n.to_bytes(4, "big") for n in array.shape) + array.tobytes()


def write_mnist(raw: Path) -> None:
    """Images whose first pixels hold their number and label; the other pixels are 0 or 255."""
    raw.mkdir(parents=True)
    for part, count in PARTS.items():
        labels = (np.arange(count) % 10).astype(np.uint8)
        images = np.zeros((count, 28, 28), np.uint8)
        images[:, 0, 0], images[:, 0, 1] = np.arange(count) // 256, np.arange(count) % 256
        images[:, 0, 2] = labels
        images[:, 1, :] = 255
        images[:, 2, :] = 128
        (raw / f"{part}-images-idx3-ubyte").write_bytes(idx(images))
        (raw / f"{part}-labels-idx1-ubyte").write_bytes(idx(labels))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_mnist(folder / "MNIST" / "raw")
    return folder


def number(x: torch.Tensor) -> torch.Tensor:
    return x[:, 0, 0, 0].long() * 256 + x[:, 0, 0, 1].long()


def test_splits_of_mnist(root: Path) -> None:
    data = Mnist().load(root, offline=True)
    assert data.train.x.shape == (55_000, 1, 28, 28)
    assert data.train.x.dtype == torch.uint8
    assert number(data.validation.x[:1]) == 0
    assert torch.equal(number(data.train.x), torch.arange(5_000, 60_000))
    assert torch.equal(data.test.y, torch.arange(10_000) % 10)
    assert torch.equal(data.train.x[:, 0, 0, 2].long(), data.train.y)
    assert (data.classes, data.levels, data.mode_count) == (10, 256, 10)


def test_fashion_mnist_reads_its_own_folder_and_gzipped_files(root: Path, tmp_path: Path) -> None:
    raw = tmp_path / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    for path in (root / "MNIST" / "raw").iterdir():
        (raw / f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes(), 1))
    data = FashionMnist().load(tmp_path, offline=True)
    assert len(data.train) == 55_000
    assert data.class_names[9] == "ankle boot"
    assert data.fingerprint == Mnist().load(root, offline=True).fingerprint


def test_missing_files_say_where_and_how(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        Mnist().load(tmp_path, offline=True)
    text = str(caught.value)
    assert "\n" not in text
    assert "train-images-idx3-ubyte" in text
    assert str(tmp_path / "MNIST" / "raw") in text
    assert "genbench fetch SUITE" in text
    assert list(tmp_path.iterdir()) == []


def test_one_truncated_file_is_named(root: Path, tmp_path: Path) -> None:
    shutil.copytree(root / "MNIST", tmp_path / "MNIST")
    path = tmp_path / "MNIST" / "raw" / "t10k-images-idx3-ubyte"
    os.truncate(path, 100_000)
    with pytest.raises(DataError, match=r"t10k-images-idx3-ubyte: truncated.*delete it"):
        Mnist().load(tmp_path, offline=True)


GOOD = idx(np.arange(24, dtype=np.uint8).reshape(2, 3, 4))


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "starts with nothing"),
        (b"<html>not found</html>", "starts with 3c 68 74 6d"),
        (GOOD[:-1], "truncated: its header announces 2 × 3 × 4 bytes and 23 follow"),
        (GOOD[:10], "truncated"),
        (GOOD + b"x", "too long"),
        (bytes([0, 0, 13, 3]) + GOOD[4:], "not an idx file"),
        (idx(np.zeros((2, 4, 4), np.uint8)), "expected any × 3 × 4 values, got 2 × 4 × 4"),
    ],
)
def test_bad_idx_files_are_refused(tmp_path: Path, raw: bytes, message: str) -> None:
    path = tmp_path / "images"
    path.write_bytes(raw)
    with pytest.raises(DataError, match=message) as caught:
        read_idx(path, (None, 3, 4))
    assert str(path) in str(caught.value)


def test_idx_files_plain_and_gzipped(tmp_path: Path) -> None:
    plain, packed = tmp_path / "a", tmp_path / "a.gz"
    plain.write_bytes(GOOD)
    packed.write_bytes(gzip.compress(GOOD))
    for path in (plain, packed):
        assert read_idx(path, (None, 3, 4)).ravel().tolist() == list(range(24))
    packed.write_bytes(gzip.compress(GOOD)[:-9])
    with pytest.raises(DataError, match="cannot be read"):
        read_idx(packed, (None, 3, 4))
    packed.write_bytes(b"not gzip")
    with pytest.raises(DataError, match="cannot be read"):
        read_idx(packed, (None, 3, 4))


def test_labels_out_of_range_are_refused(root: Path, tmp_path: Path) -> None:
    shutil.copytree(root / "MNIST", tmp_path / "MNIST")
    path = tmp_path / "MNIST" / "raw" / "t10k-labels-idx1-ubyte"
    path.write_bytes(path.read_bytes()[:-1] + b"\x0b")
    with pytest.raises(DataError, match="holds the label 11"):
        Mnist().load(tmp_path, offline=True)


def test_dynamic_binarisation_is_drawn_anew_and_by_chance(root: Path) -> None:
    data = BinaryMnist().load(root, offline=True)
    assert data.levels == 2
    index = torch.arange(500)
    fixed, labels = data.train.take(index)
    one, _ = data.train.take(index, Noise(1))
    again, _ = data.train.take(index, Noise(1))
    other, _ = data.train.take(index, Noise(2))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
    assert torch.equal(labels, data.train.y[:500])
    for rows in (fixed, one, other, data.test.x, data.validation.x):
        assert rows.max() == 1
        assert rows[:, :, 1].min() == 1  # grey 255
        assert rows[:, :, 3:].max() == 0  # grey 0
    assert float(one[:, :, 2].float().mean()) == pytest.approx(128 / 255, abs=0.02)
    assert not torch.equal(data.draw(50, Noise(3))[0], data.draw(50, Noise(4))[0])


def test_static_binarisation_is_one_draw(root: Path) -> None:
    data = BinaryMnist(binarisation="static").load(root, offline=True)
    index = torch.arange(50)
    rows = data.train.take(index, Noise(1))[0]
    assert torch.equal(rows, data.train.take(index, Noise(2))[0])
    assert torch.equal(data.test.x, BinaryMnist().load(root, offline=True).test.x)
    assert any("Larochelle" in warning for warning in data.warnings)


def test_stacks_carry_the_number_of_their_three_digits(root: Path) -> None:
    data = StackedMnist(train_size=3000, test_size=500).load(root, offline=True)
    assert data.train.x.shape == (3000, 3, 28, 28)
    assert data.test.x.shape == (500, 3, 28, 28)
    digits = data.train.x[:, :, 0, 2].long()  # the label that each channel carries
    assert torch.equal(digits @ torch.tensor([100, 10, 1]), data.train.y)
    assert len(data.train.y.unique()) > 900
    numbers = data.train.x[:, :, 0, 0].long() * 256 + data.train.x[:, :, 0, 1].long()
    assert numbers.min() >= 5000  # none of the held-out digits
    assert (data.classes, data.mode_count) == (1000, 1000)
    assert data.class_names[7] == "007"
    again = StackedMnist(train_size=3000, test_size=500).load(root, offline=True)
    assert torch.equal(again.test.x, data.test.x)


@pytest.mark.skipif("GENBENCH_DATA" not in os.environ, reason="needs GENBENCH_DATA")
def test_the_real_mnist() -> None:
    data = Mnist().load(Path(os.environ["GENBENCH_DATA"]), offline=True)
    grey = data.train.x[::5].float() / 255
    assert float(grey.mean()) == pytest.approx(0.1307, abs=2e-3)
    assert float(grey.std()) == pytest.approx(0.3081, abs=2e-3)
    assert torch.bincount(data.test.y).tolist() == [
        980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009
    ]
