"""Metrics against a number: where the number comes from, and what is drawn."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from made_rows import rows, table

from genbench.judging.cells import cells_of, find
from genbench.reporting.figures.drawing.canvas import canvas
from genbench.reporting.figures.drawing.images import line_sheet
from genbench.reporting.figures.drawing.panels import Panel, Panels
from genbench.reporting.figures.drawing.scales import choose_scale, sweep_axis
from genbench.reporting.figures.profile import Profile
from genbench.reporting.figures.stored import Stored
from genbench.reporting.figures.sweep import Sweep, sweep_curves
from genbench.suites.sweep import grid_value, metric_value


@pytest.mark.parametrize(("row", "expected"), [
    ("line[offset=0.5]", ("line", "offset", 0.5)),
    ("line[offset=-1e-3]", ("line", "offset", -0.001)),
    ("ml[components=20]", ("ml", "components", 20.0)),
    ("line", None), ("gan[loss=hinge]", None), ("gan[a=1,b=2]", None),
])
def test_the_number_of_a_row(row, expected):
    assert grid_value(row) == expected


@pytest.mark.parametrize(("metric", "expected"), [
    ("sinkhorn_0.1", ("sinkhorn", 0.1)), ("plan_entropy_10.0", ("plan_entropy", 10.0)),
    ("sinkhorn_1e-05", ("sinkhorn", 1e-5)), ("nll_gap", None), ("emd", None),
    ("nll_iw_k500", None),
])
def test_the_number_of_a_metric(metric, expected):
    assert metric_value(metric) == expected


def titled(method):
    """As the suite's loader makes titles: the row's own, and the grid's values."""
    base, bracket, grid = method.partition("[")
    return f"{base.upper()} {bracket}{grid}".strip()


def numbers(cells):
    found = cells_of(table(*(
        rows(method, [value if value is not None else "skipped" for value in values],
             dataset="toy", metric=metric, protocol="p")
        for (method, metric), values in cells.items()
    )))
    return SimpleNamespace(
        row=lambda method, dataset, metric: find(found, metric, method, dataset),
        facts={"gap": ("NLL gap", "nats", "lower")}, title=titled,
    )


def sweep(found, named, **options):
    """What a sweep over these rows shows."""
    kind = Sweep()
    kind.configure(options)
    (sheet,) = kind.sheets(Stored(found, None, "toy", named))
    return sheet.shown


def test_rows_of_a_grid_are_one_curve_in_order_of_the_number():
    found = numbers({
        ("a[k=2]", "gap"): [1.0, 2.0], ("a[k=1]", "gap"): [3.0, 4.0],
        ("a[k=4]", "gap"): [0.5, None], ("b[k=1]", "gap"): [7.0], ("b[k=2]", "gap"): [8.0],
    })
    named = ["a[k=2]", "a[k=1]", "a[k=4]", "b[k=1]", "b[k=2]", "c"]
    panels, axis, lost = sweep_curves(found, "toy", named, ["gap"])
    assert axis == "k"
    assert lost == []  # a metric that does not apply is no loss
    assert list(panels) == ["NLL gap, nats"]
    a, b = panels["NLL gap, nats"]
    assert (a.method, b.method) == ("A", "B")
    np.testing.assert_array_equal(a.seeds[0], [[1, 2], [3, 1]])  # where every seed has a number
    np.testing.assert_array_equal(a.seeds[1], [[1, 2], [4, 2]])
    at, mean, std = a.band()
    np.testing.assert_array_equal(at, [1, 2])
    np.testing.assert_allclose(mean, [3.5, 1.5])
    np.testing.assert_allclose(std, 0.5**0.5)
    assert b.style != a.style


def test_metrics_that_end_in_numbers_are_one_curve_for_each_row():
    found = numbers({("x", "s_10.0"): [3.0], ("x", "s_0.1"): [1.0], ("y", "s_0.1"): [5.0],
                     ("x", "emd"): [0.9]})
    panels, _, _ = sweep_curves(found, "toy", ["x", "y"], ["s_10.0", "s_0.1"])
    x, y = panels["s"]
    np.testing.assert_array_equal(x.seeds[0], [[0.1, 10], [1, 3]])
    np.testing.assert_array_equal(y.seeds[0], [[0.1], [5]])
    whole = sweep(found, ["x", "y"], columns=["s_10.0", "s_0.1"], level="emd", axis="ε")
    assert whole.lines == {"s": ("emd", 0.9)}
    assert whole.axis == "ε"
    assert Sweep().draw(whole)
    assert sweep(found, ["z"], columns=["s_0.1"]).notes == {"sweep": "no run to show yet"}


def test_a_sweep_names_its_metric_and_what_is_lost():
    found = numbers({("x", "s_0.1"): [1.0, 2.0], ("x", "s_10.0"): [3.0, "not-finite"]})
    for value in (0.1, 10.0):
        found.facts[f"s_{value}"] = (f"Sinkhorn distance, ε = {value}", "nats", "lower")
    panels, _, lost = sweep_curves(found, "toy", ["x"], ["s_0.1", "s_10.0"])
    assert list(panels) == ["Sinkhorn distance, nats"]
    assert panels["Sinkhorn distance, nats"][0].seeds[0].tolist() == [[0.1], [1.0]]
    assert lost == ["X at 10: not finite"]


@pytest.mark.parametrize(("values", "shown"), [
    ([250, 500, 1000, 2000, 4000], ["250", "1000", "4000"]),
    ([16, 32, 64, 128, 256, 512], ["16", "64", "256"]),
    ([0.03, 0.1, 1], ["0.03", "0.1", "1"]), ([1, 2, 4, 8, 16, 32, 64], ["1", "4", "16", "64"]),
])
def test_numbers_below_a_sweep_are_evenly_chosen(values, shown):
    with canvas((1.9, 1.6)) as figure:
        ax = figure.add_axes((0.2, 0.2, 0.66, 0.75))
        ax.plot(values, values)
        sweep_axis(ax, "k", [np.array(values, dtype=float)], 1.26)
        assert [label.get_text() for label in ax.get_xticklabels() if label.get_text()] == shown


def test_the_axis_of_a_handful_of_points():
    def kind(values):
        return choose_scale([np.array(values)], [np.zeros(len(values))], whole=True).kind

    assert kind([0.69, 0.69, 0.0002, 0.69]) == "linear"
    assert kind([2.0, 0.01, 0.001, 0.0005]) == "log"
    assert kind([-1.0, 5.0]) == "linear"


def test_profiles_of_critics_and_densities():
    line = {"line": np.array([-1.0, 1.0]), "line_log_density": np.zeros(50)}
    critic = {**line, "line_critic": np.linspace(0, 1, 50), "line_probability": np.array(True)}
    sheets = {
        Profile().draw(Panels([Panel("a", arrays)], line)).tobytes()
        for arrays in (line, critic, {**critic, "line_probability": np.array(False)})
    }
    assert len(sheets) == 3
    assert Profile().lacks({}) == "no points of one dimension"


def test_a_profile_without_densities_shows_samples(figures):
    samples = np.random.default_rng(0).normal(size=(2000, 1))
    arrays = {"line": np.array([-4.0, 4.0]), "samples": samples}
    Profile().draw(Panels([Panel("GAN", arrays)], arrays))
    steps = [patch.get_data() for patch in figures[0].axes[0].patches]
    assert len(steps) == 2  # data and model
    for values, edges, _ in steps:
        assert (values * np.diff(edges)).sum() == pytest.approx(1, abs=0.01)


def test_lines_of_images():
    images = np.zeros((12, 1, 8, 8), np.uint8)
    def width(*lines):
        rows = [Panel("a", {}), Panel("b", {}, "diverged")][:len(lines)]
        return line_sheet(rows, lambda _: lines[0]).width

    whole = width([("x", images[:10]), ("y", images[:3])], [])
    longer = width([("x", images)])
    assert whole < 2 * longer
    assert longer > width([("x", images[:3])])


def test_grids_of_one_title_are_told_apart_by_name():
    found = numbers({("a[k=1]", "gap"): [1.0], ("b[k=1]", "gap"): [2.0]})
    found.title = lambda method: "Same " + method[method.index("["):]
    panels, _, _ = sweep_curves(found, "toy", ["a[k=1]", "b[k=1]"], ["gap"])
    assert [curve.method for curve in panels["NLL gap, nats"]] == ["a", "b"]
