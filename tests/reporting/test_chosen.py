"""Figures of chosen rows: drawn, kept, honest about what is missing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from genbench.reporting.figures._draw import draw_figures
from genbench.reporting.figures._series import wanted_terms
from genbench.reporting.figures.drawing.curve_sheet import Curve, curve_sheet
from genbench.reporting.figures.drawing.images import component_sheet
from genbench.reporting.figures.drawing.planes import Plane, plane_sheet
from genbench.reporting.figures.weights import weight_sheet
from genbench.reporting.numbers import Numbers
from genbench.store.table import tidy
from genbench.suites.schema import Report

ENTRIES = [
    {"kind": "density", "title": "Figure 5.1", "dataset": "ring", "methods": ["nice", "mixflow"]},
    {"kind": "samples", "title": "Points!", "dataset": "ring", "methods": ["gan"]},
    {"kind": "curves", "title": "Curves", "dataset": "ring", "methods": ["gan"],
     "terms": ["critic: loss"]},
    {"kind": "samples", "title": "Images", "dataset": "digits", "methods": ["gan", "nice"]},
    {"kind": "critic", "title": "Critic", "dataset": "ring", "methods": ["gan"]},
]


def drawn(filled, out, entries):
    plan, store = filled
    report = Report.model_validate({"figures": entries})
    plan = replace(plan, suite=plan.suite.model_copy(update={"report": report}))
    return draw_figures(Numbers(plan, tidy(plan, store)), store, out)


def test_each_is_one_picture_in_the_suites_order_and_drawn_once(filled, tmp_path):
    kinds, chosen = drawn(filled, tmp_path, ENTRIES)
    assert {figure.kind for figure in kinds} == {"samples", "density", "curves"}  # as ever
    assert [figure.file for figure in chosen] == [
        "figures/figure-5-1.png", "figures/points.png", "figures/curves.png",
        "figures/images.png", "figures/critic.png",
    ]
    before = {path.name: path.read_bytes() for path in (tmp_path / "figures").iterdir()}
    stamps = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "figures").iterdir()}
    drawn(filled, tmp_path, ENTRIES)
    for path in (tmp_path / "figures").iterdir():
        assert path.stat().st_mtime_ns == stamps[path.name]
        path.unlink()
    drawn(filled, tmp_path, ENTRIES)
    for path in (tmp_path / "figures").iterdir():
        assert path.read_bytes() == before[path.name]
        assert path.stat().st_size < 250_000
    drawn(filled, tmp_path, ["density", ENTRIES[0]])
    left = sorted(path.name for path in (tmp_path / "figures").iterdir())
    assert left == ["density-ring.png", "figure-5-1.png"]
    kinds, chosen = drawn(filled, tmp_path, ["none", ENTRIES[0]])
    assert (kinds, [figure.file for figure in chosen]) == ([], ["figures/figure-5-1.png"])


def test_the_loss_of_a_player_is_the_sum_of_its_terms(filled):
    plan, store = filled
    spec = next(s for s in plan.runs if s.method == "gan" and s.dataset == "ring")
    folder = store.run(spec.id)
    series = folder.series()
    numbers = Numbers(plan, tidy(plan, store))
    ((asked, title, values),) = wanted_terms(numbers, spec, folder, ["critic: loss"])
    assert asked == title == "critic: loss"
    parts = series["critic", "wasserstein"][1] + series["critic", "gradient_penalty"][1]
    np.testing.assert_allclose(values[1], parts)


def test_a_row_that_did_not_finish_says_so():
    grid = np.array([-1, 1, -1, 1.0])
    there = {"samples": np.zeros((9, 2)), "grid": grid, "log_density": np.zeros((5, 5))}
    whole = plane_sheet("density", [Plane("a", there), Plane("b", there)], there, "m")
    planes = [Plane("a", there), Plane("b", {}, "diverged: NaN")]
    missing = plane_sheet("density", planes, there, "m")
    assert whole != missing
    assert plane_sheet("critic", [Plane("a", there)], there, "m")  # "no critic", in words


@pytest.mark.parametrize("value", [np.nan, np.inf, 3.0])
def test_surfaces_of_any_values(value):
    surface = np.zeros((6, 6))
    surface[2, 2] = value
    arrays = {"samples": np.full((4, 2), np.nan), "grid": np.array([-1, 1, -1, 1.0]),
              "critic": surface, "log_density": surface, "components": np.array([0, 1, 2, 9])}
    for kind in ("density", "samples", "critic"):
        assert plane_sheet(kind, [Plane("a", arrays)] * 4, {}, "m")


def test_weights_and_components(tmp_path):
    weights = {"critic_weights": np.linspace(-0.01, 0.01, 500)}
    assert weight_sheet([Plane("a", weights), Plane("b", {}), Plane("c", {}, "failed")], "m")
    images = np.zeros((3, 10, 1, 8, 8), np.uint8)
    arrays = {"component_samples": images, "component_weights": np.array([0.5, 0.3, 0.2])}
    sheet = component_sheet([("a", arrays, ""), ("b", {}, "diverged"), ("c", {
        "samples": images[0]}, "")])
    assert isinstance(sheet, Image.Image)
    alone = component_sheet([("a", arrays, "")])
    assert sheet.width > 1.9 * alone.width
    assert sheet.height > 1.5 * alone.height


def test_curves_of_a_hundredfold_are_logarithmic_and_none_are_said():
    steep = Curve("a", 0, [np.array([[1, 2, 3, 4.0], [1e6, 1e4, 1e2, 3.0]])])
    assert curve_sheet({"model: nll": [steep]}, {}, "m") != curve_sheet({}, {}, "m")
