"""Figures of theory: what they draw is right, and is drawn the same each time."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import linprog

from genbench.reporting.figures.divergence import Divergence, halves
from genbench.reporting.figures.drawing.panels import Panel, Panels
from genbench.reporting.figures.labels import Labels
from genbench.reporting.figures.polytope import Polytope, best_vertex, entropic_row
from genbench.reporting.figures.transport import Transport, monotone_plan


def cheapest(cost: np.ndarray, a: np.ndarray, b: np.ndarray) -> float:
    """The value of the linear program."""
    n, m = cost.shape
    rows = np.kron(np.eye(n), np.ones(m))
    columns = np.kron(np.ones(n), np.eye(m))
    found = linprog(cost.ravel(), A_eq=np.vstack((rows, columns)), b_eq=np.concatenate((a, b)))
    return float(found.fun)


def test_the_monotone_plan_is_optimal_on_a_line():
    draw = np.random.default_rng(0)
    a, b = draw.dirichlet(np.ones(6)), draw.dirichlet(np.ones(6))
    plan = monotone_plan(a, b)
    assert plan.sum(1) == pytest.approx(a)
    assert plan.sum(0) == pytest.approx(b)
    cost = np.abs(np.subtract.outer(np.arange(6.0), np.arange(6.0)))
    assert float((plan * cost).sum()) == pytest.approx(cheapest(cost, a, b))


def test_the_entropic_plan_is_sinkhorns_and_ends_at_the_cheapest_vertex():
    cost = np.random.default_rng(1).uniform(size=(2, 3))
    gain = cost[1] - cost[0]
    for epsilon in (0.05, 0.3, 5.0):
        kernel, v = np.exp(-cost / epsilon), np.ones(3)
        for _ in range(5000):
            u = 0.5 / (kernel @ v)
            v = (1 / 3) / (kernel.T @ u)
        assert entropic_row(gain, epsilon) == pytest.approx((u[:, None] * kernel * v)[0], abs=1e-8)
    assert entropic_row(gain, 1e4) == pytest.approx([1 / 6] * 3, abs=1e-4)
    vertex = best_vertex(gain)
    assert entropic_row(gain, 1e-4) == pytest.approx(vertex, abs=1e-6)
    value = float((np.stack((vertex, 1 / 3 - vertex)) * cost).sum())
    assert value == pytest.approx(cheapest(cost, np.full(2, 0.5), np.full(3, 1 / 3)))


def log_normal(x: np.ndarray, mean: float) -> np.ndarray:
    return -((x - mean) ** 2) / 2 - math.log(2 * math.pi) / 2


@pytest.mark.parametrize(("apart", "js"), [(0.0, 0.0), (1.0, 0.222843), (40.0, 2 * math.log(2))])
def test_the_areas_sum_to_the_divergence(apart, js):
    x = np.linspace(-20, 60, 80_001)
    parts = halves(log_normal(x, 0), log_normal(x, apart))
    assert sum(float(np.trapezoid(part, x)) for part in parts) == pytest.approx(js, abs=1e-5)


def line(mean: float, low: float = -4.0, high: float = 12.0) -> dict[str, np.ndarray]:
    x = np.linspace(low, high, 400)
    samples = np.random.default_rng(0).normal(mean, size=(500, 1)).astype(np.float32)
    return {"samples": samples, "line": np.array([low, high]),
            "line_log_density": log_normal(x, mean).astype(np.float32)}


def drawn(kind, shown: Panels) -> bytes:
    picture = kind.draw(shown)
    assert kind.caption(shown).endswith(".")
    assert picture.tobytes() == kind.draw(shown).tobytes()
    return picture.tobytes()


def words(figures) -> list[str]:
    return [text.get_text() for ax in figures[-1].axes for text in ax.texts]


def test_a_divergence_says_its_value_beyond_the_line_of_the_data_too(figures):
    shown = Panels([Panel("far", line(8.0)), Panel("same", line(0.0))], line(0.0, -4.0, 4.0))
    drawn(Divergence(), shown)
    assert words(figures) == ["JS 1.386", "JS 0.000"]
    assert Divergence().lacks({"samples": np.zeros((3, 1))}) == "no density on a line"


def test_heaps_that_lie_apart_cost_their_distance(figures):
    shown = Panels([Panel("far", line(8.0))], line(0.0))
    kind = Transport()
    kind.configure({"bins": 64})
    drawn(kind, shown)
    (cost,) = words(figures)
    assert float(cost.split()[-1]) == pytest.approx(8, abs=0.15)
    assert kind.lacks({"samples": np.zeros((3, 2))}) == "no points of one dimension"


def test_a_polytope_is_of_two_samples_and_three_rows():
    points = np.random.default_rng(0).normal(size=(2, 10, 2)).astype(np.float32)
    shown = Panels([Panel("a", {"samples": points[0]})], {"samples": points[1]})
    other = Panels([Panel("a", {"samples": points[0][2:]})], {"samples": points[1]})
    assert drawn(Polytope(), shown) != drawn(Polytope(), other)
    assert "two samples" in Polytope().lacks({"samples": points[0][:1]})


def test_labels_are_stacked_to_their_mean(figures):
    p = np.array([[1.0, 0.0, 0.0], [0.0, 0.5, 0.5]], np.float32)
    images = np.zeros((2, 1, 8, 8), np.uint8)
    shown = Panels([Panel("a", {"samples": images, "label_probabilities": p})])
    drawn(Labels(), shown)
    tops = [0.0] * 3
    for bar in figures[-1].axes[0].patches:
        place = round(bar.get_x() + bar.get_width() / 2)
        tops[place] = max(tops[place], bar.get_y() + bar.get_height())
    assert tops == pytest.approx([0.5, 0.25, 0.25])
    assert Labels().lacks({"samples": images}) == "no classifier was asked"
