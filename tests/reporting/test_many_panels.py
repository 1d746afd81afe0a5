"""Figures of many rows: every line can be told, every sheet has a bound, nothing is left out."""

from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest

from genbench import lookup
from genbench.reporting.figures.base import FigureKind
from genbench.reporting.figures.corner import Corner
from genbench.reporting.figures.curves import CurvesFigure, arranged
from genbench.reporting.figures.density import DensityFigure
from genbench.reporting.figures.draw import draw_figures
from genbench.reporting.figures.drawing import canvas
from genbench.reporting.figures.drawing.curve_sheet import Curve, CurvePanels, curve_sheet
from genbench.reporting.figures.drawing.images import line_sheet
from genbench.reporting.figures.drawing.key import entries_of
from genbench.reporting.figures.drawing.palette import colour
from genbench.reporting.figures.drawing.panels import Panel, Panels, pages
from genbench.reporting.figures.drawing.scales import APART, Scale, axis_kind
from genbench.reporting.figures.samples import Samples
from genbench.reporting.figures.stored import Stored

PAGE = 2700
"""Pixels: no sheet is higher."""


def line(*values):
    return np.array([np.arange(1.0, len(values) + 1), values])


def kind_of(name, **options):
    """A kind of figure with these options."""
    kind: FigureKind = lookup.load(lookup.describe("figure", name))()
    kind.configure(options)
    return kind


def test_no_two_rows_look_alike(figures):
    rows = [Curve(f"row {i}", i, [line(1.0, i, 2.0)]) for i in range(60)]
    curve_sheet(CurvePanels({"critic: loss": rows}))
    (ax,) = figures[0].axes
    looks = {(one.get_color(), str(one._unscaled_dash_pattern), one.get_linestyle())
             for one in ax.lines}
    assert len(looks) == 60
    assert len([t for t in figures[0].texts if t.get_text().startswith("row ")]) == 60
    assert len({colour(index) for index in range(40)}) == 40


def test_what_blew_up_at_once_does_not_flatten_the_rest(figures):
    calm = np.array([np.arange(1.0, 101), np.linspace(1, 2, 100)])
    terms = {"critic: loss": [Curve("calm", 0, [calm]), Curve("wild", 1, [line(1, 1e12, 1e17)])]}
    curve_sheet(CurvePanels(terms))
    (ax,) = figures[0].axes
    assert ax.get_yscale() == "linear"
    assert ax.get_ylim()[1] < 3
    assert len(ax.lines) == 2


def test_terms_of_one_row_alone_share_a_panel():
    rows = {
        "gan": {("critic", "critic: ns"): [line(1, 2)], ("model", "model: ns"): [line(1, 2)]},
        "w": {("critic", "critic: w"): [line(1, 2)], ("critic", "critic: drift"): [line(3, 4)]},
        "h": {("critic", "critic: hinge"): [line(1, 2)], ("model", "model: ns"): [line(1, 2)]},
    }
    panels, told = arranged(rows, {"gan": "GAN", "w": "W", "h": "H"})
    assert {title: [c.method for c in curves] for title, curves in panels.items()} == {
        "critic: own terms": ["GAN", "W", "H"], "model: ns": ["GAN", "H"],
    }
    assert panels["critic: own terms"][1].seeds[0][1].tolist() == [4, 6]  # their sum
    assert told.endswith("in sum: critic: ns (GAN), w + drift (W), hinge (H).")
    assert arranged({"gan": rows["gan"]}, {"gan": "GAN"})[0].keys() == {"critic: ns", "model: ns"}


def stored(series):
    """What is stored of rows that have these series."""
    def run(name):
        return SimpleNamespace(
            state="diverged" if name == "nan" else "done",
            curves_path=SimpleNamespace(exists=lambda: True), series=lambda: series[name],
            fingerprint=lambda file: name,
        )
    specs = [SimpleNamespace(id=name, method=name, dataset="ring", seed=0, scale="raw")
             for name in series]
    numbers = SimpleNamespace(methods=lambda d: list(series), title=str, log_dets={},
                              measured=lambda dataset, metric: [],
                              plan=SimpleNamespace(runs=specs))
    return Stored(numbers, SimpleNamespace(run=run), "ring", list(series), chosen=False)


def test_a_row_of_one_update_gets_no_panel_but_a_word():
    (sheet,) = kind_of("curves").sheets(stored({
        "flow": {("model", "nll"): line(3, 2, 1)},
        "em": {("model", "fit"): line(3)}, "nan": {("model", "x"): line(3, np.nan)}, "fit": {},
    }))
    assert [c.method for rows in sheet.shown.panels.values() for c in rows] == ["flow"]
    assert sheet.shown.absent == ["fewer than two points: em, nan, fit"]
    assert list(kind_of("curves").sheets(stored({"em": {("model", "fit"): line(3)}}))) == []


def test_rows_that_a_suite_chooses_say_which_terms_they_lack():
    rows = stored({"flow": {("model", "nll"): line(3, 2, 1)}, "em": {("model", "fit"): line(3)},
                   "gan": {("critic", "ns"): line(1, 2), ("critic", "gp"): line(3, 4)}})
    rows.chosen = True
    (sheet,) = kind_of("curves", terms=["critic: loss", "model: nll", "model: x"]).sheets(rows)
    assert list(sheet.shown.panels) == ["critic: loss", "model: nll, nats", "model: x"]
    assert sheet.shown.panels["critic: loss"][0].seeds[0][1].tolist() == [4, 6]
    assert sheet.shown.notes["critic: loss"] == "no such term: flow"
    assert "no run of these rows" in sheet.shown.notes["model: x"]
    assert sheet.shown.absent == ["no such term: em"]
    (empty,) = kind_of("curves", terms=["model: x"]).sheets(rows)
    assert empty.shown.notes == {"training": "no run to show yet"}


def test_many_rows_take_several_sheets_and_none_is_dropped():
    names = [f"row {i}" for i in range(2 * CurvesFigure.rows + 3)]
    sheets = list(CurvesFigure().sheets(stored({
        name: {("model", f"term {i % 17}"): line(1, 2), ("critic", f"own {i}"): line(1, 2)}
        for i, name in enumerate(names)
    })))
    shown = [{c.method for rows in s.shown.panels.values() for c in rows} for s in sheets]
    assert len(sheets) == 3
    assert max(map(len, shown)) <= CurvesFigure.rows
    assert set.union(*shown) == set(names)
    assert max(CurvesFigure().draw(sheet.shown).height for sheet in sheets) < PAGE


@pytest.mark.parametrize(("values", "kind"), [
    ([1e-4, 3e-4, 1e-3, 1e-2], "log"), ([0.03, 0.1, 1, 10], "log"), ([1, 2, 5, 20], "linear"),
    ([250, 500, 1000, 2000, 4000], "log"), ([0, 0.01, 0.1, 1], "symlog"),
    ([-1, -0.1, 0, 1], "linear"), ([0.0, 1.0], "linear"), ([0, 1, 2, 3], "linear"),
])
def test_rates_are_swept_logarithmically(values, kind, figures):
    at = np.array(values, dtype=float)
    assert axis_kind(at) == kind
    shown = CurvePanels({"a": [Curve("x", 0, [np.stack([at, at])])]}, axis="ε", ordered=True)
    curve_sheet(shown)
    (ax,) = figures[0].axes
    assert ax.get_xscale() == kind
    if kind != "linear":
        assert ax.get_xticks().tolist() == at.tolist()
        assert ax.get_xlim()[0] <= at[0]
        assert ax.get_xlim()[1] >= at[-1]


def test_labels_of_a_symlog_axis_stand_apart():
    for low, high, linear in ((-20, 0.5, 1e-4), (-1e6, 1e6, 1.0), (-0.5, 3e5, 1e-3)):
        with canvas.canvas((2, 2)) as figure:
            ax = figure.add_axes((0.2, 0.2, 0.7, 0.7))
            Scale("symlog", low, high, linear).apply(ax)
            ticks = ax.get_yticks()
            to_axes = ax.transData + ax.transAxes.inverted()
            at = to_axes.transform(np.stack([np.zeros_like(ticks), ticks], 1))[:, 1]
        assert 0 in ticks
        assert 3 <= len(ticks) <= 6
        assert min(b - a for a, b in pairwise(sorted(at))) >= APART - 1e-6


def sheet_of(name, count, arrays, **options):
    kind = kind_of(name, **options)
    return kind.draw(Panels([Panel(f"a row {i}", arrays) for i in range(count)], arrays))


def most_of(name, dims, **options):
    return kind_of(name, **options).rows_on_a_sheet(SimpleNamespace(dims=dims))


@pytest.mark.parametrize("kind", ["samples", "density", "critic", "weights", "profile"])
def test_sheets_of_panels_are_bounded(kind):
    rng = np.random.default_rng(0)
    arrays = {"samples": rng.normal(size=(9, 2)), "grid": np.array([-1, 1, -1, 1.0]),
              "critic": rng.normal(size=(4, 4)), "critic_weights": rng.normal(size=50),
              "log_density": np.zeros((4, 4))}
    if kind == "profile":
        arrays = {"samples": rng.normal(size=(9, 1)), "line": np.array([-1.0, 1.0])}
    assert sheet_of(kind, most_of(kind, 2), arrays).height < PAGE


def test_sheets_of_images_are_bounded():
    images = np.zeros((100, 1, 8, 8), np.uint8)
    walks = {"interpolation": np.zeros((8, 10, 1, 8, 8), np.uint8),
             "arithmetic": np.zeros((1, 12, 1, 8, 8), np.uint8), "samples": images,
             "turn": np.zeros((5, 10, 1, 8, 8), np.uint8), "walk_classes": np.array([0, 1, 2])}
    for kind in ("samples", "interpolation", "arithmetic", "turn"):
        assert sheet_of(kind, most_of(kind, 0), walks).height < PAGE
    by = {"by_component": True}
    assert sheet_of("samples", most_of("samples", 0, **by), walks, **by).height < PAGE


def test_pages_hold_everything():
    assert [list(page) for page in pages(range(10), 4)] == [[0, 1, 2], [3, 4, 5], [6, 7, 8, 9]]
    assert list(pages([], 4)) == []


def test_labels_beside_images_lie_on_none():
    images = np.zeros((9, 1, 8, 8), np.uint8)
    text = "a label that is long"
    sheet = line_sheet([Panel("title", {})], lambda _: [(text, images), ("", images)])
    sheet = np.asarray(sheet.convert("L"))
    row = sheet[46 + 5 : 46 + 35]  # the first line
    dark = np.flatnonzero((row < 5).all(0))  # columns that are an image from top to bottom
    assert (row[:, dark[0] - 6 : dark[0]] > 200).all()
    below = sheet[46 + 43 + 5 : 46 + 43 + 35]
    assert np.flatnonzero((below < 5).all(0))[0] == dark[0]
    assert dark[-1] >= sheet.shape[1] - 20  # no empty half


def test_dots_have_a_key(figures):
    mixed = {"samples": np.zeros((9, 2)), "components": np.array([0, 1, 11] * 3)}
    labels = [label for label, _ in entries_of([mixed, {"samples": np.zeros((9, 2))}], data=True)]
    assert labels == ["data", "samples", "component 0", *map(str, range(1, 12))]
    Samples().draw(Panels([Panel("PGAN", mixed)], mixed))
    texts = [text.get_text() for text in figures[0].texts]
    assert texts == ["data", "component 0", *map(str, range(1, 12))]
    assert figures[0].get_size_inches()[0] > 2.5  # alone, it is wide enough for its letters


def test_a_density_has_the_scale_of_its_bands_and_the_key_of_its_dots(figures):
    plane = {"samples": np.zeros((9, 2)), "grid": np.array([-1, 1, -1, 1.0]),
             "log_density": np.zeros((4, 4))}
    rows = [Panel("NICE", plane), Panel("EM", {**plane, "components": np.array([0, 1, 2] * 3)})]
    DensityFigure().draw(Panels(rows, plane))
    bar = figures[0].axes[-1]
    assert bar.get_xlabel() == "log density, nats below the peak of the truth"
    assert [text.get_text() for text in bar.get_xticklabels()][::9] == ["8", "0"]
    texts = [text.get_text() for text in figures[0].texts]
    assert texts == ["samples", "component 0", "1", "2"]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_infinite_log_densities_and_samples_can_be_drawn(value, figures):
    log_density = np.zeros((4, 4))
    log_density[1, 1] = value
    points = np.array([[0.5, 0.5], [value, 0], [1e30, 0], [0.5, 0.5]])
    plane = {"samples": points, "grid": np.array([0, 1, 0, 1.0]), "log_density": log_density}
    DensityFigure().draw(Panels([Panel("a", plane)]))
    assert len(figures[0].axes[0].collections[-1].get_offsets()) == 2


@pytest.mark.parametrize(("far", "words"), [(0, ""), (30, "30 % outside"),
                                            (100, "all samples outside")])
@pytest.mark.parametrize("dims", [2, 3])
def test_an_empty_panel_says_where_the_samples_are(far, words, dims, figures):
    real = {"samples": np.random.default_rng(0).uniform(size=(500, dims))}
    samples = real["samples"][:100].copy()
    samples[:far, 1] = 9.0
    kind = Samples() if dims == 2 else Corner()
    kind.draw(Panels([Panel("GAN", {"samples": samples})], real))
    assert [text.get_text() for text in figures[0].axes[0].texts] == [words]


def test_numbers_below_panels_side_by_side_stay_apart(figures):
    plane = {"samples": np.zeros((9, 2)), "grid": np.array([-4, 4, -4, 4.0])}
    DensityFigure().draw(Panels([Panel("a", plane)] * 3))
    assert labels_apart(figures[0], [ax.xaxis for ax in figures[0].axes])
    assert all(len(ax.get_xticks()) > 1 for ax in figures[0].axes)


def labels_apart(figure, axes):
    """Whether no two numbers of these axes lie on each other."""
    drawn = [label for axis in axes for label in axis.get_ticklabels() if label.get_text()]
    boxes = [label.get_window_extent() for label in drawn if label.get_visible()]
    return all(not a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


@pytest.mark.parametrize(("size", "shown", "scale", "turn"), [
    (3, 3, 1.0, 45), (5, 5, 1.0, 45), (6, 6, 1e-5, 90), (9, 6, 4000.0, 90),
])
def test_points_of_more_dimensions_are_corners_with_numbers(size, shown, scale, turn, figures):
    rng = np.random.default_rng(0)
    real = {"samples": rng.normal(size=(200, size)) * [1, scale, *[20.0] * (size - 2)]}
    rows = [Panel("a", {"samples": real["samples"] * 2}), Panel("b", {}, "diverged")]
    sheet = Corner().draw(Panels(rows, real))
    axes = [ax for ax in figures[0].axes if ax.collections or ax.patches]
    assert len(axes) == shown * (shown + 1) // 2
    texts = [text.get_text() for text in figures[0].texts]
    assert (f"the first {shown} of {size} coordinates" in texts) is (size > shown)
    lowest = [ax for ax in axes if ax.get_xlabel()]
    first = [ax for ax in axes if ax.get_ylabel()]
    assert [ax.get_xlabel() for ax in lowest] == [f"x{i}" for i in range(shown)]
    assert [ax.get_ylabel() for ax in first] == [f"x{i}" for i in range(1, shown)]
    for ax in (*lowest, *first):
        axis = ax.xaxis if ax in lowest else ax.yaxis
        assert len([label for label in axis.get_ticklabels() if label.get_text()]) > 1
        assert axis.get_tick_params()["labelbottom" if ax in lowest else "labelleft"]
    assert {label.get_rotation() for ax in lowest for label in ax.get_xticklabels()} == {turn}
    if turn == 90:  # the boxes of oblique text say nothing
        assert labels_apart(figures[0], [ax.xaxis for ax in lowest])
    assert labels_apart(figures[0], [ax.yaxis for ax in first])
    assert sheet.height < PAGE


@pytest.mark.parametrize(("dims", "kind"), [
    (1, "Densities of the data"), (2, "Log density in bands"), (4, "Pairs of coordinates"),
])
def test_points_of_any_dimension_are_shown_by_a_kind_that_can(fake, tmp_path, dims, kind):
    """A profile or a corner takes the place of a plane that cannot be drawn."""
    points = {"samples": np.random.default_rng(0).normal(size=(50, dims)).astype(np.float32)}
    if dims == 1:
        points["line"] = np.array([-3.0, 3.0])
    folder = SimpleNamespace(
        sealed=True, samples_path=SimpleNamespace(exists=lambda: True), samples=lambda: points,
    )
    plan = fake.make_plan(tmp_path, methods=("gan",), datasets=("ring",))
    plan.suite.report.figures = ["density"]
    numbers = SimpleNamespace(methods=lambda d: ["gan", "real"], title=str, plan=plan)
    store = SimpleNamespace(run=lambda name: folder)
    (found,) = draw_figures(numbers, store, tmp_path)
    assert found.file == "figures/density-ring.png"
    assert found.caption.startswith(kind)
    assert (tmp_path / "figures" / "density-ring.png").exists()
