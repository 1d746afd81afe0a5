"""Figures of chosen rows: drawn, kept, honest about what is missing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from genbench.reporting.figures.critic import CriticFigure
from genbench.reporting.figures.curves import wanted_terms
from genbench.reporting.figures.density import DensityFigure
from genbench.reporting.figures.draw import draw_figures
from genbench.reporting.figures.drawing.curve_sheet import Curve, CurvePanels, curve_sheet
from genbench.reporting.figures.drawing.panels import Panel, Panels
from genbench.reporting.figures.samples import Samples
from genbench.reporting.figures.weights import Weights
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
    figures = drawn(filled, tmp_path, ENTRIES)
    whole = {figure.file for figure in figures if figure.place != "figures"}
    assert whole == {  # as where no figure is chosen
        "figures/density-ring.png", "figures/samples-digits.png", "figures/curves-ring.png",
        "figures/curves-digits.png",
    }
    assert [figure.file for figure in figures if figure.place == "figures"] == [
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
    (alone,) = drawn(filled, tmp_path, ["none", ENTRIES[0]])
    assert alone.file == "figures/figure-5-1.png"
    assert drawn(filled, tmp_path, []) == []


def test_a_whole_kind_leaves_out_what_has_nothing_to_show_and_names_it(filled, tmp_path):
    whole, chosen = drawn(filled, tmp_path, ["weights", {
        "kind": "weights", "title": "T", "dataset": "ring", "methods": ["nice"],
    }])
    assert whole.caption.endswith("Not shown: NICE (no weights of a critic); Mixture of flows (no "
                                  "weights of a critic).")
    assert "Not shown" not in chosen.caption  # a panel says why


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


def pixels(kind, panels, real=None):
    return kind.draw(Panels(panels, real or {})).tobytes()


def test_a_row_that_did_not_finish_says_so():
    grid = np.array([-1, 1, -1, 1.0])
    there = {"samples": np.zeros((9, 2)), "grid": grid, "log_density": np.zeros((5, 5))}
    whole = pixels(DensityFigure(), [Panel("a", there), Panel("b", there)], there)
    lost = [Panel("a", there), Panel("b", {}, "diverged: NaN")]
    assert whole != pixels(DensityFigure(), lost, there)
    assert CriticFigure().lacks(there) == "no critic"


@pytest.mark.parametrize("value", [np.nan, np.inf, 3.0])
def test_surfaces_of_any_values(value):
    surface = np.zeros((6, 6))
    surface[2, 2] = value
    arrays = {"samples": np.full((4, 2), np.nan), "grid": np.array([-1, 1, -1, 1.0]),
              "critic": surface, "log_density": surface, "components": np.array([0, 1, 2, 9])}
    for kind in (DensityFigure(), Samples(), CriticFigure()):
        assert pixels(kind, [Panel("a", arrays)] * 4)


def test_weights_and_components():
    weights = {"critic_weights": np.linspace(-0.01, 0.01, 500)}
    assert pixels(Weights(), [Panel("a", weights), Panel("b", {}, "failed")])
    assert pixels(Weights(), [Panel("b", {}, "failed")])
    assert Weights().lacks({"critic_weights": np.array([np.nan])}) == "no weights of a critic"
    images = np.zeros((3, 10, 1, 8, 8), np.uint8)
    arrays = {"component_samples": images, "component_weights": np.array([0.5, 0.3, 0.2]),
              "samples": images[0]}
    kind = Samples()
    kind.configure({"by_component": True})
    rows = [Panel("a", arrays), Panel("b", {}, "diverged"), Panel("c", {"samples": images[0]})]
    sheet = kind.draw(Panels(rows))
    alone = kind.draw(Panels(rows[:1]))
    assert sheet.width > 1.9 * alone.width
    assert sheet.height > 1.5 * alone.height


def test_curves_of_a_hundredfold_are_logarithmic_and_none_are_said():
    steep = Curve("a", 0, [np.array([[1, 2, 3, 4.0], [1e6, 1e4, 1e2, 3.0]])])
    drawn = [curve_sheet(CurvePanels(terms)) for terms in ({"model: nll": [steep]}, {"a": []})]
    assert drawn[0].tobytes() != drawn[1].tobytes()
