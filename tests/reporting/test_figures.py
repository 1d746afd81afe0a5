from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from genbench.errors import GenbenchError, StoreError
from genbench.reporting.curves import Curve, curve_sheet
from genbench.reporting.densities import (
    DEPTHS,
    SIDE,
    Panel,
    _bands,
    _ticks,
    _view,
    _weights,
    density_sheet,
)
from genbench.reporting.palette import COLOURS, ramp, rgb
from genbench.reporting.png import digest_of, drawing, encode, is_ours, keep_or_draw
from genbench.reporting.sheets import sample_sheet, write_samples


def test_interpolation_is_linear_between_nodes_and_empty_outside():
    nodes = np.linspace(-1, 1, 5)
    weights = _weights(-2.0, 2.0, -1.0, 1.0, 5, 400)
    centres = -2 + (np.arange(400) + 0.5) / 100
    inside = abs(centres) <= 1
    assert (weights @ (3 * nodes + 1))[inside] == pytest.approx((3 * centres + 1)[inside])
    assert (weights[~inside] == 0).all()


def test_bands_have_y_upwards_and_the_peak_darkest():
    log_density = np.full((11, 11), -100.0)
    log_density[9:, :2] = 0.0  # the largest y, the smallest x
    pixels = _bands(log_density, np.array([0, 1, 0, 1.0]), (0, 1, 0, 1), 0.0, 100)
    assert (pixels[0, 0] == ramp(len(DEPTHS))[-1]).all()
    assert (pixels[-1, -1] == 255).all()


def test_infinite_log_densities_can_be_drawn():
    grid = np.array([0, 1, 0, 1.0])
    for value in (np.nan, np.inf, -np.inf):
        log_density = np.zeros((4, 4))
        log_density[1, 1] = value
        points = np.array([[0.5, 0.5], [np.nan, 0], [np.inf, 1], [1e30, 0]])
        sheet = density_sheet([Panel("a", points, grid, log_density)])
        assert sheet.width > SIDE


def test_samples_lie_where_they_are():
    samples = np.array([[-1.0, 1.0]] * 3)
    sheet = density_sheet([Panel("a", samples, np.array([-2, 2, -2, 2.0]), np.zeros((3, 3)) - 99),
                           Panel("b", samples, components=np.array([2, 2, 2]))])
    found = np.argwhere((np.asarray(sheet).astype(int) - rgb("#D55E00")).__abs__().sum(-1) < 90)
    top, left = found.mean(0)
    assert (left - 40) / SIDE == pytest.approx(0.25, abs=0.01)
    assert (top - 16 - 28) / SIDE == pytest.approx(0.25, abs=0.01)
    colours = np.asarray(sheet).reshape(-1, 3).astype(int)
    assert (abs(colours - rgb(COLOURS[2])).sum(1) < 90).any()


def test_the_view_is_square():
    x0, x1, y0, y1 = _view([Panel("a", np.random.default_rng(0).normal(size=(500, 2)) * [9, 1])])
    assert x1 - x0 == pytest.approx(y1 - y0)
    assert _view([Panel("a", np.zeros((3, 2)))])[1] > 0


@pytest.mark.parametrize(("low", "high"), [(-7, 7), (0, 1), (1e-3, 2e-3), (-1e5, 3e5)])
def test_ticks_are_few_and_within(low, high):
    ticks = _ticks(low, high)
    assert 2 <= len(ticks) <= 9
    assert low <= min(ticks) < max(ticks) <= high


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
    write_samples(np.zeros((9, 2)), tmp_path / "b.png")
    write_samples(np.zeros((9, 5)), tmp_path / "c.npz")
    with np.load(tmp_path / "c.npz") as stored:
        assert stored["samples"].shape == (9, 5)
    for name, samples in (("d.png", np.zeros((9, 5))), ("d.jpg", images)):
        with pytest.raises(GenbenchError, match=r"\.npz"):
            write_samples(samples, tmp_path / name)


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


def test_what_draws_is_found_and_not_listed() -> None:
    assert {"canvas", "densities", "numbers", "png", "profiles", "sweeps"} <= set(drawing())
    assert not {"claims", "gate", "report", "terminal"} & set(drawing())
