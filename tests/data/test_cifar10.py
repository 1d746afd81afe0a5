"""CIFAR-10: pickles that may hold arrays and nothing else."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from genbench.data import cifar10
from genbench.data.cifar10 import Cifar10, read_batch
from genbench.errors import DataError

ROWS = 20


def batch(seed: int) -> dict[bytes, object]:
    random = np.random.default_rng(seed)
    return {
        b"data": random.integers(0, 256, (ROWS, 3072), dtype=np.uint8),
        b"labels": random.integers(0, 10, ROWS).tolist(),
    }


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(cifar10, "_ROWS", ROWS)
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    for number in range(1, 6):
        (folder / f"data_batch_{number}").write_bytes(pickle.dumps(batch(number), 4))
    (folder / "test_batch").write_bytes(pickle.dumps(batch(0), 4))
    return tmp_path


def python_two_pickle() -> bytes:
    """What Python 2 wrote: byte strings, and `numpy.core.multiarray`."""
    values = bytes(range(256)) * 24
    return (
        b"\x80\x02}(U\x04datacnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85"
        b"U\x01b\x87R(K\x01K\x02M\x00\x0c\x86cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R"
        b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89"
        b"T" + len(values).to_bytes(4, "little") + values + b"tb"
        b"U\x06labels](K\x03K\x05eu."
    )


def test_splits(root: Path) -> None:
    data = Cifar10(validation=30).load(root, offline=True)
    assert (len(data.train), len(data.validation), len(data.test)) == (70, 30, 20)
    first = torch.from_numpy(batch(1)[b"data"]).reshape(ROWS, 3, 32, 32)
    assert torch.equal(data.train.x[:ROWS], first)
    assert data.test.y.tolist() == batch(0)[b"labels"]
    assert Cifar10().load(root, offline=True).validation is None


def test_validation_may_not_take_everything(root: Path) -> None:
    with pytest.raises(DataError, match="expected less than 100, got 100"):
        Cifar10(validation=100).load(root, offline=True)


def test_pickles_of_python_two(tmp_path: Path) -> None:
    path = tmp_path / "batch"
    path.write_bytes(python_two_pickle())
    images, labels = read_batch(path, 2)
    assert images.shape == (2, 3, 32, 32)
    assert images.ravel()[:300].tolist() == [*range(256), *range(44)]
    assert labels.tolist() == [3, 5]


def test_a_pickle_that_runs_code_is_refused_and_does_not_run(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple:
            return os.mkdir, (str(tmp_path / "owned"),)

    path = tmp_path / "batch"
    path.write_bytes(pickle.dumps({**batch(0), b"extra": Evil()}, 4))
    with pytest.raises(DataError, match="not permitted"):
        read_batch(path, ROWS)
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "corrupt"),
        (pickle.dumps(batch(0), 4)[:5000], "corrupt"),
        (b"\x1f\x8b garbage", "corrupt"),
        (pickle.dumps([1, 2]), "expected 'data'"),
        (pickle.dumps({b"data": np.zeros((ROWS, 3072))}, 4), "expected 'data' of 20 × 3072 bytes"),
        (pickle.dumps({**batch(0), b"labels": [1]}, 4), "expected 'labels'"),
        (pickle.dumps({**batch(0), b"labels": [11] * ROWS}, 4), "expected 'labels'"),
    ],
)
def test_bad_batches_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "data_batch_3"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        read_batch(path, ROWS)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_batch_is_named(root: Path) -> None:
    (root / "cifar-10-batches-py" / "data_batch_4").unlink()
    with pytest.raises(DataError, match=r"no data_batch_4 in .*cifar-10-batches-py"):
        Cifar10().load(root, offline=True)
