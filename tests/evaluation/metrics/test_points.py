"""Mode coverage in a plane, Wasserstein distances."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.stats import chi2, entropy, wasserstein_distance

from genbench.data.base import Modes
from genbench.errors import NotApplicable
from genbench.evaluation.metrics.emd import EMD
from genbench.evaluation.metrics.mode_coverage import (
    ModeCoverage,
    point_coverage,
    usual_radius,
)
from genbench.evaluation.metrics.sliced_wasserstein import SlicedWasserstein, sliced_wasserstein
from genbench.evaluation.metrics.wasserstein1 import Wasserstein1, wasserstein1
from genbench.noise import Noise


def test_exact_draws_have_the_known_share_of_high_quality(make, toy):
    found = ModeCoverage().measure(make(toy, None))
    assert found["modes_covered"] == 2
    assert found["high_quality"] == pytest.approx(1 - math.exp(-4.5), abs=0.004)  # 0.989
    assert found["mode_deviation"] < 0.015
    assert found["mode_kl"] < 1e-3


def test_a_lost_mode_a_starved_mode_and_misses():
    modes = Modes(torch.tensor([[0.0, 0.0], [10.0, 0.0]]), torch.eye(2).repeat(2, 1, 1),
                  torch.tensor([0.5, 0.5]))
    def at(n, x):
        return torch.tensor([[x, 0.0]]).repeat(n, 1)
    lost = point_coverage(at(100, 0.5), modes)
    assert lost == {"modes_covered": 1, "high_quality": 1, "mode_deviation": 0.5,
                    "mode_kl": pytest.approx(math.log(2))}
    ten, nine = (
        point_coverage(torch.cat([at(100 - n, 0.0), at(n, 10.0)]), modes) for n in (10, 9)
    )
    assert (ten["modes_covered"], nine["modes_covered"]) == (2, 1)  # 20 % of half of 100
    missed = point_coverage(torch.cat([at(50, 2.99), at(50, 13.01)]), modes)
    assert (missed["modes_covered"], missed["high_quality"]) == (1, 0.5)
    assert missed["mode_deviation"] == pytest.approx(0)


def test_distance_to_a_mode_is_mahalanobis():
    covariance = torch.tensor([[[4.0, 0.0], [0.0, 0.01]]])
    modes = Modes(torch.zeros(1, 2), covariance, torch.ones(1))
    points = torch.tensor([[5.9, 0.0], [6.1, 0.0], [0.0, 0.29], [0.0, 0.31]])
    assert point_coverage(points, modes)["high_quality"] == 0.5


def test_wasserstein_of_a_shift_is_its_length():
    x = Noise(0).normal("x", 300, 2).numpy()
    assert wasserstein1(x, x) == 0
    assert wasserstein1(x, x + np.array([3.0, 4.0])) == pytest.approx(5, rel=1e-6)


def test_wasserstein_in_one_dimension_is_scipys():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(200, 1)), rng.gamma(2, size=(200, 1))
    assert wasserstein1(x, y) == pytest.approx(wasserstein_distance(x[:, 0], y[:, 0]), rel=1e-9)
    assert sliced_wasserstein(torch.from_numpy(x).float(), torch.from_numpy(y).float()) == (
        pytest.approx(wasserstein_distance(x[:, 0], y[:, 0]), rel=1e-5))


def test_sliced_wasserstein_of_a_shift():
    x = Noise(1).normal("x", 2000, 2)
    assert sliced_wasserstein(x, x) == 0
    moved = sliced_wasserstein(x, x + torch.tensor([3.0, 4.0]), 1000)
    assert moved == pytest.approx(5 * 2 / math.pi, rel=0.06)  # E |cos|
    assert sliced_wasserstein(x + 1, x) == sliced_wasserstein(x, x + 1)


def test_the_metrics_tell_truth_from_a_wrong_model(make, toy, blob):
    right, wrong = make(toy, None), make(toy, blob)
    w1 = Wasserstein1(size=300, repeats=2)
    true = w1.measure(right)
    floor = np.mean([each["w1_floor"] for each in w1.floors(right)])
    assert true["w1"] == pytest.approx(floor, rel=0.6)
    assert w1.measure(wrong)["w1"] > 4 * true["w1"]
    assert w1.measure(right, 1)["w1"] != true["w1"]
    sliced = SlicedWasserstein(size=1000, projections=50)
    assert sliced.measure(wrong)["swd"] > 10 * sliced.measure(right)["swd"]
    with pytest.raises(NotApplicable, match="fewer than 5000"):
        Wasserstein1().measure(right)


def test_divergence_of_modes_is_scipys(make, toy, blob):
    evidence = make(toy, blob)
    points = evidence.samples(0, 2000)
    near = (points[:, 0] > 0).double().mean().item()
    found = point_coverage(points, toy.truth.modes)
    assert found["mode_kl"] == pytest.approx(entropy([1 - near, near], [0.3, 0.7]), abs=1e-6)


@pytest.mark.parametrize("dims", [1, 2, 5, 20])
def test_exact_draws_cover_the_modes_in_any_dimension(dims):
    centres = torch.zeros(2, dims)
    centres[1, 0] = 100.0
    modes = Modes(centres, torch.eye(dims).repeat(2, 1, 1), torch.tensor([0.5, 0.5]))
    points = Noise(0).normal("x", 10_000, dims)
    points[::2, 0] += 100
    found = point_coverage(points, modes)
    assert found["modes_covered"] == 2
    assert found["high_quality"] == pytest.approx(1 - math.exp(-4.5), abs=0.004)
    inside = chi2.cdf(usual_radius(dims) ** 2, dims)
    assert inside == pytest.approx(1 - math.exp(-4.5), abs=1e-12)


def test_the_radius_of_the_plane_is_three_in_the_protocol(make, toy):
    assert ModeCoverage().protocol(make(toy, None)) == "10k-3sigma-share0.2"


def test_samples_of_a_model_and_given_ones_are_measured_by_one_rule(make, toy, blob):
    """4,000 test points, 10,000 asked for: both take 4,000, and say so."""
    model = make(toy, blob)
    given = make(toy, given=model.samples(0, 4000), sets=1)
    for metric in (SlicedWasserstein(projections=20), EMD(size=100)):
        assert metric.protocol(model) == metric.protocol(given)
    assert SlicedWasserstein().protocol(given) == "4k-test-500dirs"
    measured = [SlicedWasserstein(projections=20).measure(one)["swd"] for one in (model, given)]
    assert measured[0] == pytest.approx(measured[1], rel=1e-6)
