"""The feed: stateless, every row once an epoch, memory maps as tensors, and fast."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genbench.data.base import Data, Split
from genbench.data.feed import Feed
from genbench.data.ring import Ring
from genbench.data.scaling import Scaling, scaling_for
from genbench.noise import Noise

UNIT = Scaling("unit", False, 256)


def numbered(count: int) -> Data:
    """Images of one pixel, which holds their number; labels are the number times two."""
    x = torch.arange(count).to(torch.uint8).reshape(count, 1, 1, 1)
    split = Split(x, 2 * torch.arange(count))
    return Data("images", (1, 1, 1), split, split, classes=2 * count, levels=256)


def rows(feed: Feed, position: int) -> list[int]:
    x, labels = feed.batch(position)
    numbers = (x.flatten() * 255).round().long()
    assert labels is not None
    assert torch.equal(labels, 2 * numbers)
    return numbers.tolist()


@settings(max_examples=30)
@given(count=st.integers(1, 40), size=st.integers(1, 50), start=st.integers(0, 30))
def test_batches_are_permutations_laid_end_to_end(count: int, size: int, start: int) -> None:
    feed = Feed(numbered(count), UNIT, size, Noise(3))
    epochs = 3
    drawn = [row for position in range(-(-epochs * count // size)) for row in rows(feed, position)]
    for epoch in range(epochs):
        assert sorted(drawn[epoch * count : (epoch + 1) * count]) == list(range(count))
    alone = Feed(numbered(count), UNIT, size, Noise(3))
    assert rows(alone, start) == rows(feed, start)


def test_seeds_and_epochs_differ() -> None:
    feed, other = (Feed(numbered(200), UNIT, 200, Noise(seed)) for seed in (0, 1))
    assert rows(feed, 0) != rows(feed, 1)
    assert rows(feed, 0) != rows(other, 0)


def test_a_memory_map_feeds_what_a_tensor_feeds(tmp_path: Path) -> None:
    data = numbered(50)
    np.save(tmp_path / "x.npy", data.train.x.numpy())
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    same = Data("images", (1, 1, 1), data.test, Split(mapped, data.train.y), levels=256)
    moved = same.to(torch.device("cpu"))
    assert isinstance(moved.train.x, np.memmap)
    for position in range(3):
        ours, theirs = (Feed(d, UNIT, 32, Noise(0)).batch(position) for d in (moved, data))
        assert torch.equal(ours[0], theirs[0])
        assert torch.equal(ours[1], theirs[1])
    assert torch.equal(moved.draw(70, Noise(1))[0], data.draw(70, Noise(1))[0])


def test_dequantisation_is_new_in_every_batch_but_reproducible() -> None:
    feed = Feed(numbered(4), Scaling("unit", True, 256), 4, Noise(0))
    first = feed.batch(0)[0]
    assert torch.equal(first, feed.batch(0)[0])
    assert not torch.equal(first.sort(0).values, feed.batch(1)[0].sort(0).values)


def test_fresh_points_for_a_toy() -> None:
    data = Ring().load(Path("/nonexistent"))
    feed = Feed(data, scaling_for(data, "standard", False), 64, Noise(0))
    x, labels = feed.batch(5)
    assert x.shape == (64, 2)
    assert labels is None
    assert torch.equal(x, feed.batch(5)[0])
    assert not torch.equal(x, feed.batch(6)[0])
    assert feed.draw(10, Noise(2))[0].shape == (10, 2)


def test_draw_gives_each_row_once_where_there_are_enough() -> None:
    feed = Feed(numbered(50), UNIT, 8, Noise(0))
    x, labels = feed.draw(50, Noise(9))
    assert sorted((x.flatten() * 255).round().long().tolist()) == list(range(50))
    assert labels is not None
    assert len(feed.draw(120, Noise(9))[0]) == 120


@pytest.mark.parametrize("splits", ["train", "validation"])
def test_data_moves_every_split(splits: str) -> None:
    split = Split(torch.zeros(3, 2), torch.arange(3), torch.zeros(3, 2))
    data = Data("points", (2,), split, split, split, fingerprint="f")
    moved = data.to(torch.device("meta"))
    assert moved.fingerprint == "f"
    part = getattr(moved, splits)
    assert part.x.device.type == part.y.device.type == part.pixel_probs.device.type == "meta"
    assert moved.test.x.device.type == "meta"
