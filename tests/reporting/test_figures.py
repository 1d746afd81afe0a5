from __future__ import annotations

import ast
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from genbench.errors import GenbenchError, StoreError
from genbench.reporting.figures.drawing.curve_sheet import Curve, CurvePanels, curve_sheet
from genbench.reporting.figures.drawing.images import sample_sheet
from genbench.reporting.figures.drawing.palette import colour, ramp, rgb
from genbench.reporting.figures.drawing.panels import Panel
from genbench.reporting.figures.drawing.png import (
    MANY,
    content_digest,
    drawing,
    encode,
    is_ours,
    keep_or_draw,
)
from genbench.reporting.figures.sample_files import write_samples


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
    png = encode(sample_sheet([Panel("a", {"samples": images})]), "m", photographs=True)
    assert len(png) > MANY
    with Image.open(io.BytesIO(png)) as picture:
        assert picture.mode == "RGB"


@pytest.mark.parametrize("shape", [
    (100, 1, 8, 8), (100, 1, 28, 28), (64, 3, 32, 32), (3, 3, 64, 48), (1, 2, 200, 200),
    (10, 5, 500, 300),
])
def test_sheets_of_any_images(shape):
    arrays = {"samples": np.full(shape, 7, np.uint8)}
    sheet = sample_sheet([Panel("a", arrays), Panel("too long for its block" * 5, arrays)])
    assert sheet.width < 1400
    pixels = np.asarray(sheet)
    assert (pixels == 7).any()


def test_samples_stand_in_rows_with_seams_between_them():
    images = np.zeros((64, 1, 8, 8), np.uint8)
    images[9] = 200  # the second of the second row
    block = np.asarray(sample_sheet([Panel("a", {"samples": images})]))[46:, 16:, 0]
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
    shown = CurvePanels(terms, {"a": ("truth", 1.5)})
    assert curve_sheet(shown).tobytes() == curve_sheet(shown).tobytes()


def test_a_picture_is_drawn_once_for_what_it_shows(tmp_path):
    path = tmp_path / "a.png"
    drawn = []

    def draw(mark):
        drawn.append(mark)
        return encode(Image.new("RGB", (3, 3)), mark)

    for parts in (["a"], ["a"], ["b"], ["a", "b"], ["ab"]):
        keep_or_draw(path, content_digest(parts), draw)
    assert drawn == [content_digest(parts) for parts in (["a"], ["b"], ["a", "b"], ["ab"])]


@dataclass(frozen=True)
class Held:
    what: Any


@pytest.mark.parametrize(("one", "other"), [
    ("a", "b"), (1, 2), (1, "1"), (None, "None"), (1.0, 1), (True, 1),
    (np.zeros(2), np.zeros(3)), (np.zeros((2, 3)), np.zeros((3, 2))),
    (np.zeros(2), np.zeros(2, np.float32)), (np.array([0.0, 1]), np.array([0.0, 2])),
    ([["a"], "b"], [["a", "b"]]), ({"a": 1}, {"a": 2}), ({"a": 1, "b": 2}, {"a": 1, "c": 2}),
    ({"a": 1, "b": 2}, {"b": 2, "a": 1}),  # panels stand in this order
    (Held([1, {"x": np.zeros(2)}]), Held([1, {"x": np.ones(2)}])),
])
def test_pictures_of_other_things_have_other_digests(one, other):
    assert content_digest(one) != content_digest(other)
    assert content_digest(Held(one)) == content_digest(Held(one))


def test_what_cannot_be_told_apart_is_no_content_of_a_picture():
    with pytest.raises(TypeError, match="cannot show object"):
        content_digest([object()])


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


def test_what_draws_is_in_the_folder() -> None:
    """What a picture shows is hashed, so that reading it may use more: tables and the store."""
    reads = {"genbench.reporting.numbers"}
    for path in drawing():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        used = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        outside = {module for module in used if module and module.startswith("genbench.reporting")
                   and not module.startswith("genbench.reporting.figures")}
        assert outside <= (set() if path.parent.name == "drawing" else reads), path
