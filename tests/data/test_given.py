"""Samples that were made elsewhere: read whole, or refused in one line; never executed."""

from __future__ import annotations

import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from genbench.data._given import read_given
from genbench.data.base import Data, Split
from genbench.errors import DataError

BYTES = np.random.default_rng(0).integers(0, 256, (12, 1, 8, 6), dtype=np.uint8)
GREY = Data("images", (1, 8, 6), Split(torch.from_numpy(BYTES)), levels=256)
COLOURED = np.random.default_rng(1).integers(0, 256, (5, 3, 8, 8), dtype=np.uint8)
RGB = Data("images", (3, 8, 8), Split(torch.from_numpy(COLOURED)), levels=256)
PLANE = Data("points", (2,), Split(torch.zeros(4, 2)))


def written(path: Path, array: np.ndarray) -> Path:
    if path.suffix == ".npy":
        np.save(path, array)
    elif path.suffix == ".npz":
        np.savez(path, labels=np.arange(len(array)), samples=array)
    else:
        torch.save({"samples": torch.from_numpy(array), "epoch": 3}, path)
    return path


@pytest.mark.parametrize("name", ["a.npy", "a.npz", "a.pt"])
@pytest.mark.parametrize("form", ["bytes", "int64", "unit", "symmetric", "flat", "no channel"])
def test_every_form_gives_the_same_bytes(tmp_path: Path, name: str, form: str) -> None:
    low, high = (-1.0, 1.0) if form == "symmetric" else (0.0, 1.0)
    array = {
        "bytes": BYTES, "int64": BYTES.astype(np.int64), "unit": (BYTES / 255).astype(np.float32),
        "symmetric": BYTES / 127.5 - 1, "flat": (BYTES / 255).reshape(12, -1),
        "no channel": BYTES[:, 0],
    }[form]
    found = read_given(written(tmp_path / name, array), GREY, low, high)
    assert found.rows.dtype == torch.uint8
    assert (found.rows.numpy() == BYTES).all()
    assert found.notes == ()


def test_half_a_range_is_told(tmp_path: Path) -> None:
    """As of values from 0 to 1 that are said to run from -1 to 1."""
    path = written(tmp_path / "a.npy", BYTES / 255)
    assert "in less than half of the range" in read_given(path, GREY, -1, 1).notes[0]


def test_rows_that_do_not_say_where_the_channels_are(tmp_path: Path) -> None:
    """(N, 192) may be (N, 3, 8, 8) or (N, 8, 8, 3): another picture."""
    path = written(tmp_path / "a.npy", COLOURED.reshape(5, -1))
    with pytest.raises(DataError, match=r"do not say where the channels are; give \(N, 3, 8, 8"):
        read_given(path, RGB)


def test_which_of_several_arrays_is_told(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=BYTES, images=255 - BYTES)
    found = read_given(tmp_path / "a.npz", GREY)
    assert (found.rows.numpy() == 255 - BYTES).all()
    assert found.notes == ("of x, images in a.npz, images is read",)


def test_types_that_numpy_has_not(tmp_path: Path) -> None:
    values = torch.from_numpy(BYTES[:, :, :, :] > 127).to(torch.float8_e4m3fn)
    torch.save(values, tmp_path / "a.pt")
    assert (read_given(tmp_path / "a.pt", GREY).rows.numpy() == 255 * (BYTES > 127)).all()


def test_channels_may_come_last(tmp_path: Path) -> None:
    path = written(tmp_path / "a.npy", COLOURED.transpose(0, 2, 3, 1))
    assert (read_given(path, RGB).rows.numpy() == COLOURED).all()


@pytest.mark.parametrize("zipped", [False, True])
def test_pictures(tmp_path: Path, zipped: bool) -> None:
    folder = tmp_path / "made"
    folder.mkdir()
    for number, image in enumerate(BYTES):
        Image.fromarray(image[0]).save(folder / f"{number:03}.png")
    path = folder
    if zipped:
        path = tmp_path / "made.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for file in sorted(folder.iterdir()):
                archive.write(file, file.name)
    assert (read_given(path, GREY).rows.numpy() == BYTES).all()
    with pytest.raises(DataError, match="6 × 8, and those of the dataset 8 × 8"):
        read_given(path, RGB)


def test_a_range_is_of_floats_alone(tmp_path: Path) -> None:
    """It would say nothing of bytes, pictures and points, and that silently."""
    (tmp_path / "made").mkdir()
    Image.fromarray(BYTES[0, 0]).save(tmp_path / "made/1.png")
    points = Data("points", (2,), Split(torch.zeros(9, 2)))
    for path, data, what in (
        (written(tmp_path / "a.npy", BYTES), GREY, "whole numbers"),
        (tmp_path / "made", GREY, "pictures"),
        (written(tmp_path / "b.npy", np.ones((9, 2))), points, "points"),
    ):
        with pytest.raises(DataError, match=f"{path}: holds {what}, .*leave it out"):
            read_given(path, data, -1.0, 1.0)


def test_jpegs_are_told(tmp_path: Path) -> None:
    for number, image in enumerate(BYTES):
        Image.fromarray(image[0]).save(tmp_path / f"{number}.jpg")
    assert "12 of the 12 samples are JPEGs" in read_given(tmp_path, GREY).notes[0]


def test_points(tmp_path: Path) -> None:
    points = np.random.default_rng(0).normal(size=(20, 2))
    found = read_given(written(tmp_path / "a.npy", points), PLANE).rows
    assert found.dtype == torch.float32
    assert np.allclose(found.numpy(), points)


def test_values_a_little_out_of_range_are_clamped_and_told(tmp_path: Path) -> None:
    values = np.linspace(-0.01, 1.01, BYTES.size).reshape(BYTES.shape)
    found = read_given(written(tmp_path / "a.npy", values), GREY)
    assert "lay out of range, clamped" in found.notes[0]


class Hostile:
    """What it leaves behind when it is unpickled is looked for below."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return (os.mkdir, (str(self.mark),))


ODD_TENSORS = {
    "text.pt": "samples", "sparse.pt": torch.zeros(12, 1, 4, 6).to_sparse(),
    "meta.pt": torch.zeros(12, 1, 4, 6, device="meta"),
    "vast.pt": torch.zeros(1).expand(2**40, 1, 5, 6),
}


def _bad(folder: Path, name: str) -> Path:
    path, mark = folder / name, folder / "executed"
    unit = BYTES / 255
    if name == "pickle.pt":
        torch.save(Hostile(mark), path)
    elif name == "pickle.npy":
        path.write_bytes(pickle.dumps(Hostile(mark)))
    elif name == "objects.npy":
        np.save(path, np.array([Hostile(mark)], dtype=object), allow_pickle=True)
    elif name == "objects.npz":
        np.savez(path, samples=np.array([Hostile(mark)], dtype=object))
    elif name == "several.npz":
        np.savez(path, a=unit, b=unit)
    elif name == "torn.npz":
        written(path, unit)
        path.write_bytes(path.read_bytes()[:900])
    elif name in ODD_TENSORS:
        torch.save(ODD_TENSORS[name], path)
    elif name == "negative.npy":
        np.save(path, BYTES)
        path.write_bytes(path.read_bytes().replace(b"(12,", b"(-9,"))
    elif name == "outside.zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("../x.png", b"")
    else:
        unit[2, 0, 3, 3] = np.nan if name == "nan.npy" else unit[2, 0, 3, 3]
        written(path, {
            "nan.npy": unit, "wide.npy": 2 * unit - 1, "grey.npy": 0 * unit + 0.5,
            "shape.npy": unit[:, :, :4], "empty.npy": unit[:0], "high.npy": BYTES + np.int64(90),
            "complex.npy": unit + 0j, "nothing.npy": np.float64(3.0)[None],
        }[name])
    return path


@pytest.mark.parametrize(("name", "says"), [
    ("pickle.pt", "holds Python objects, which are never loaded"),
    ("pickle.npy", "holds Python objects, which are never loaded"),
    ("objects.npy", "cannot be read"),
    ("objects.npz", "holds Python objects, which are never loaded"),
    ("several.npz", "holds a, b; call the array of samples `samples`"),
    ("torn.npz", "cannot be read"),
    ("text.pt", "holds a str, not a tensor"),
    ("sparse.pt", "save a dense one"),
    ("meta.pt", "save a dense one"),
    ("vast.pt", "an array of 122880 GiB; give fewer samples"),
    ("negative.npy", "cannot be read"),
    ("outside.zip", "leads outside the zip"),
    ("nan.npy", "1 samples hold NaN or infinity, the first is number 2"),
    ("wide.npy", "say what black and white are, as in --range -1 1"),
    ("grey.npy", "less than two grey levels"),
    ("shape.npy", "holds an array of shape (12, 1, 4, 6), and the dataset's images are"),
    ("empty.npy", "holds no samples"),
    ("high.npy", "images are bytes from 0 to 255"),
    ("complex.npy", "values of type complex128"),
    ("nothing.npy", "holds an array of shape (1,)"),
])
def test_what_is_refused(tmp_path: Path, name: str, says: str) -> None:
    with pytest.raises(DataError) as caught:
        read_given(_bad(tmp_path, name), GREY)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    assert name in str(caught.value)
    assert not (tmp_path / "executed").exists()


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("genbench.data._given._LARGEST", 2**30)
    path = tmp_path / "bomb.npz"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("samples.npy", "w") as file,
    ):
        for _ in range(65):
            file.write(bytes(2**24))
    assert path.stat().st_size < 2**21
    with pytest.raises(DataError, match="an array of 1 GiB; give fewer samples"):
        read_given(path, GREY)


@pytest.mark.parametrize("kind", [np.uint8, np.int64])
def test_whole_numbers_that_are_no_bytes(tmp_path: Path, kind: type) -> None:
    path = written(tmp_path / "a.npy", (BYTES > 127).astype(kind))
    with pytest.raises(DataError, match="from 0 to 1: less than two grey levels of the bytes"):
        read_given(path, GREY)
    few = Data("images", (1, 8, 6), Split(torch.from_numpy(BYTES // 15)), levels=17)
    path = written(tmp_path / "b.npy", (BYTES // 16).astype(kind))
    with pytest.raises(DataError, match=r"the 17 levels of the dataset.* multiply by 255/16"):
        read_given(path, few)


def test_samples_passed_over_are_counted(tmp_path: Path) -> None:
    for number, image in enumerate(BYTES):
        Image.fromarray(image[0]).save(tmp_path / f"{number}.png")
    (tmp_path / "labels.csv").touch()
    assert "passed over 1 of the files" in read_given(tmp_path, GREY).notes[0]


@pytest.mark.parametrize(("kind", "says"), [
    ("pipe", "not a plain file"), ("vast", "which no image needs"), ("one", "holds one sample"),
    ("gone", "cannot be read: No such file"),
])
def test_folders_that_are_refused(tmp_path: Path, kind: str, says: str) -> None:
    for number, image in enumerate(BYTES[:1] if kind == "one" else BYTES):
        Image.fromarray(image[0]).save(tmp_path / f"{number}.png")
    odd = tmp_path / "odd.png"
    if kind == "pipe":
        os.mkfifo(odd)
    elif kind == "vast":
        with odd.open("wb") as file:
            file.truncate(2**40)  # a hole: it takes no room
    elif kind == "gone":
        odd.symlink_to(tmp_path / "nowhere")
    with pytest.raises(DataError, match=says):
        read_given(tmp_path, GREY)


def test_a_pipe_is_no_array(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.npy")
    with pytest.raises(DataError, match="not a plain file"):
        read_given(tmp_path / "a.npy", GREY)


def test_what_is_not_there(tmp_path: Path) -> None:
    for name in ("a.npy", "a.npz", "a.pt", "a", "a.zip"):
        with pytest.raises(DataError, match="no such"):
            read_given(tmp_path / name, GREY)
    with pytest.raises(DataError, match="samples of points are an array"):
        read_given(tmp_path, PLANE)
