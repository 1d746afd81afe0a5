"""No option of a dataset is silent: some value of each changes the data."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from genbench import lookup
from genbench.data._mnist import MnistDataset, MnistLike
from genbench.data.base import Data, Split
from genbench.noise import Noise

SMALL = {"train_size": 30, "test_size": 40}
"""Fewer rows than a user would have, where there are options for it."""
MORE: Mapping[str, list[Any]] = {
    "covariances": [2.0, [[[1.0, 0.0], [0.0, 2.0]]] * 3],
    "means": [[[0.0, 0.0], [1.0, 1.0], [2.0, 0.0]]],
    "path": ["other"], "test_share": [0.3, 0.5], "weights": [[1.0, 2.0, 3.0]],
}
"""Values of options whose type does not say which there are."""
SAVES = {("image_folder", "memory_limit"): "images over it are read from the disk, the same ones"}
"""Options that save memory or time alone, and why they may."""
SLOW = ("gaussians", "grid", "swiss_roll", "two_moons")
"""Toys like the ring, whose entropy takes its time."""
CASES = [
    pytest.param(name, option.name, marks=pytest.mark.slow if name in SLOW else ())
    for name in lookup.available("dataset") for option in lookup.describe("dataset", name).options
    if (name, option.name) not in SAVES
]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders of pictures: opaque ones, transparent ones, and ones of over a MiB together."""
    folder, random = tmp_path_factory.mktemp("data"), np.random.default_rng(0)
    for name, bands, side in (("pictures", 3, 6), ("other", 4, 6), ("large", 3, 180)):
        (folder / name).mkdir()
        for number in range(12):
            pixels = random.integers(0, 256, (side - 2, side, bands), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.png")
    return folder


@pytest.fixture(autouse=True)
def few_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """The published sets with a few rows, as if they had been read from their files."""
    def digits(self: MnistDataset, root: Path, *, offline: bool) -> MnistLike:
        levels = Noise(0).integers("x", 256, 60, 1, 28, 28).to(torch.uint8)
        return MnistLike(*(Split(levels[i::3], torch.arange(20) % 10) for i in range(3)), "")

    def photographs(path: Path, rows: int) -> tuple[np.ndarray, np.ndarray]:
        random = np.random.default_rng(len(path.name))
        return random.integers(0, 256, (rows, 3, 32, 32), dtype=np.uint8), np.arange(rows) % 10

    monkeypatch.setattr(MnistDataset, "read", digits)
    monkeypatch.setattr("genbench.data.cifar10.ensure", lambda *_, **__: None)
    monkeypatch.setattr("genbench.data.cifar10.read_batch", photographs)
    monkeypatch.setattr("genbench.data.cifar10._ROWS", 4)


def loaded(root: Path, name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """All that is known of the data: the rows and labels, drawn ones too, and the truth."""
    component = lookup.describe("dataset", name)
    known = {option.name for option in component.options}
    small = {key: value for key, value in SMALL.items() if key in known}
    small |= {"path": "pictures"} if "path" in known else {}
    data: Data = lookup.load(component)(**{**small, **options}).load(root, offline=True)
    found = {
        key: value for key, value in vars(data).items()
        if key not in ("fingerprint", "test", "train", "truth", "validation")
    }
    for part in ("test", "train", "validation"):
        split = getattr(data, part)
        for key, value in vars(split).items() if split is not None else ():
            mapped = isinstance(value, np.ndarray)
            found[f"{part}.{key}"] = torch.tensor(np.array(value)) if mapped else value
    found["drawn"], found["labels"] = data.draw(7, Noise(5))
    if data.truth is not None:
        found["entropy"] = data.truth.entropy()
        found["density"] = data.truth.log_prob(data.test.x[:5])
    return found


@pytest.mark.parametrize(("name", "option"), CASES)
def test_some_value_of_every_option_changes_the_data(
    options: Any, root: Path, name: str, option: str
) -> None:
    component = lookup.describe("dataset", name)
    why = options.silent(component, option, {"": partial(loaded, root, name)}, MORE)
    if why:
        pytest.fail(f"dataset {name}: {why}")


def test_what_is_read_from_the_disk_is_the_same(root: Path) -> None:
    assert set(SAVES) == {("image_folder", "memory_limit")}
    kept, read = (
        {"path": "large", "memory_limit": limit} for limit in (2048, 1)
    )
    held, on_disk = (
        lookup.load(lookup.describe("dataset", "image_folder"))(**options).load(root, offline=True)
        for options in (kept, read)
    )
    assert isinstance(held.train.x, torch.Tensor)
    assert isinstance(on_disk.train.x, np.memmap)
    before, after = (loaded(root, "image_folder", options) for options in (kept, read))
    assert all(
        torch.equal(after[key], value) if isinstance(value, torch.Tensor) else after[key] == value
        for key, value in before.items()
    )
