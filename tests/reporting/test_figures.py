from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from genbench.errors import GenbenchError, StoreError
from genbench.reporting.figures._chosen import _picture
from genbench.reporting.figures._draw import _blocks
from genbench.reporting.figures.drawing.curve_sheet import Curve, curve_sheet
from genbench.reporting.figures.drawing.images import sample_sheet, write_samples
from genbench.reporting.figures.drawing.palette import colour, ramp, rgb
from genbench.reporting.figures.drawing.planes import Plane
from genbench.reporting.figures.drawing.png import (
    MANY,
    digest_of,
    drawing,
    encode,
    is_ours,
    keep_or_draw,
)


def test_a_palette_leaves_no_colour_far_off():
    rng = np.random.default_rng(0)
    pixels = np.full((400, 400, 3), 255, np.uint8)
    pixels[100:] = ramp(300).repeat(400, 0).reshape(300, 400, 3)  # what has most of the colours
    pixels[300:] = rng.integers(100, 180, (100, 400, 3))
    for index in range(10):  # rare dots, as those of a mixture's components
        pixels[5 * index + 3, :9] = rgb(colour(index))
    png = encode(Image.fromarray(pixels), "m")
    with Image.open(io.BytesIO(png)) as picture:
        assert picture.mode == "P"
        shown = np.asarray(picture.convert("RGB")).astype(int)
    assert np.abs(shown - pixels).max() <= 16
    assert (shown[99] == 255).all()
    dots = [tuple(shown[5 * index + 3, 0]) for index in range(10)]
    assert len(set(dots)) == 10
    for index, dot in enumerate(dots):
        assert np.abs(np.array(dot) - rgb(colour(index))).max() <= 16


def test_samples_in_colour_keep_their_colours():
    """A palette speckles them, and their colours are what a reader judges."""
    images = np.random.default_rng(0).integers(0, 256, (64, 3, 32, 32)).astype(np.uint8)
    rows = [Plane("a", {"samples": images})]
    for png in (_blocks(rows, {}, "m"), _picture("samples", rows, rows[0], True, False, "m")):
        assert len(png) > MANY
        with Image.open(io.BytesIO(png)) as picture:
            assert picture.mode == "RGB"


@pytest.mark.parametrize("shape", [
    (100, 1, 8, 8), (100, 1, 28, 28), (64, 3, 32, 32), (3, 3, 64, 48), (1, 2, 200, 200),
    (10, 5, 500, 300),
])
def test_sheets_of_any_images(shape):
    images = np.full(shape, 7, np.uint8)
    sheet = sample_sheet([("a", images), ("a title that is too long for its block" * 3, images)])
    assert sheet.width < 1400
    pixels = np.asarray(sheet)
    assert (pixels == 7).any()


def test_samples_stand_in_rows_with_seams_between_them():
    images = np.zeros((64, 1, 8, 8), np.uint8)
    images[9] = 200  # the second of the second row
    block = np.asarray(sample_sheet([("a", images)]))[46:, 16:, 0]
    assert (block[40:77, 40:77] == 200).all()
    assert (block[37:40] == 255).all()
    assert (block[:37, :37] == 0).all()


def test_band_is_mean_and_std_over_the_seeds_that_got_there():
    long = np.array([[10.0, 20, 30], [1, 2, 3]])
    short = np.array([[10.0, 20], [3, 4]])
    at, mean, std = Curve("a", 0, [long, short]).band()
    assert at.tolist() == [10, 20, 30]
    assert mean.tolist() == [2, 3, 3]
    assert std == pytest.approx([2**0.5, 2**0.5, 0])


def test_curves_with_holes_and_outbursts_are_drawn():
    nan = np.array([[1.0, 2], [np.nan, np.nan]])
    huge = np.array([[1.0, 2, 3], [1e30, 1, 2]])
    constant = np.array([[5.0], [1.0]])
    terms = {"a": [Curve("x", 0, [nan]), Curve("y", 20, [huge])], "b": [Curve("z", 1, [constant])]}
    png = curve_sheet(terms, {"a": ("truth", 1.5)}, "mark")
    assert png == curve_sheet(terms, {"a": ("truth", 1.5)}, "mark")
    assert png[:4] == b"\x89PNG"


def test_a_picture_is_drawn_once_for_its_inputs(tmp_path):
    path = tmp_path / "a.png"
    drawn = []

    def draw(mark):
        drawn.append(mark)
        return encode(Image.new("RGB", (3, 3)), mark)

    for parts in (["a"], ["a"], ["b"], ["a", "b"], ["ab"]):
        keep_or_draw(path, digest_of(parts), draw)
    assert drawn == [digest_of(["a"]), digest_of(["b"]), digest_of(["a", "b"]), digest_of(["ab"])]


def test_samples_of_a_run_as_a_picture_and_as_numbers(tmp_path):
    images = np.full((5, 3, 30, 20), 9, np.uint8)
    write_samples(images, tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.size == (3 * (27 + 3) - 3, 2 * (40 + 3) - 3)
    for dims in (1, 2, 5):
        write_samples(np.zeros((9, dims)), tmp_path / f"b{dims}.png")
        with Image.open(tmp_path / f"b{dims}.png") as picture:
            assert min(picture.size) > 500
    write_samples(np.zeros((9, 5)), tmp_path / "c.npz")
    with np.load(tmp_path / "c.npz") as stored:
        assert stored["samples"].shape == (9, 5)
    with pytest.raises(GenbenchError, match=r"\.npz"):
        write_samples(images, tmp_path / "d.jpg")


def test_a_figure_that_fails_takes_no_report_with_it(tmp_path: Path) -> None:
    def broken(mark: str) -> bytes:
        raise TypeError("no such axis")

    picture = tmp_path / "a.png"
    keep_or_draw(picture, "mark", broken)
    assert is_ours(picture)  # and so replaced or removed like any other
    failed = picture.read_bytes()
    keep_or_draw(picture, "mark", lambda mark: encode(Image.new("L", (4, 4)), mark))
    assert picture.read_bytes() != failed  # it is tried again

    def damaged(mark: str) -> bytes:
        raise StoreError("samples.npz is damaged")

    with pytest.raises(StoreError):
        keep_or_draw(picture, "other", damaged)


def test_every_file_of_the_folder_decides_what_is_redrawn() -> None:
    found = {path.stem for path in drawing()}
    assert {"canvas", "planes", "png", "profile", "sweep"} <= found
    assert not {"claims", "gate", "report", "terminal"} & found
