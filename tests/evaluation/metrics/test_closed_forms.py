"""Metrics of what theory states, against closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.stats import norm

from genbench.data.gaussians import Gaussians
from genbench.data.space import Space
from genbench.errors import NotApplicable
from genbench.evaluation.critic import CriticView
from genbench.evaluation.metrics import gradient_bias
from genbench.evaluation.metrics.critic_slopes import CriticSlopes
from genbench.evaluation.metrics.density_divergences import DensityDivergences
from genbench.evaluation.metrics.generator_gradients import GeneratorGradients
from genbench.evaluation.metrics.gradient_bias import GradientBias
from genbench.evaluation.metrics.intrinsic_dimension import two_nearest
from genbench.evaluation.metrics.log_determinant import LogDeterminant
from genbench.evaluation.metrics.optimal_discriminator import OptimalDiscriminator
from genbench.evaluation.metrics.perfect_discriminator import PerfectDiscriminator
from genbench.evaluation.metrics.plan_change import PlanChange, moved_mass, vertex_plan
from genbench.evaluation.metrics.transport_dual import lipschitz_dual
from genbench.models.gaussian import Gaussian
from genbench.models.nice import NICE
from genbench.models.realnvp import RealNVP
from genbench.models.segment import Segment
from genbench.nets.critic import Backbone, critic_network
from genbench.objectives.adversarial import Adversarial
from genbench.objectives.base import TrainedCritic


@pytest.fixture
def between(make, tmp_path):
    """Evidence of data of N(0, 1) and a model N(mean, std²), on the line."""

    def build(mean: float, std: float = 1.0, **more: object):
        data = Gaussians(means=[[0.0]], test_size=20000).load(tmp_path)
        return make(data, Gaussian(Space("points", (1,)), mean=[mean], std=std), **more)

    return build


def probability(score) -> CriticView:
    return CriticView(score, torch.empty(0), probability=True)


def test_divergences_of_gaussians(between):
    found = DensityDivergences().measure(between(1.0, 2.0))
    assert found["kl_data_model"] == pytest.approx(math.log(2) - 0.25, abs=1e-5)
    assert found["kl_model_data"] == pytest.approx(2 - math.log(2), abs=1e-5)
    t = np.linspace(-20, 20, 200_001)
    p, q = norm.pdf(t), norm.pdf(t, 1, 2)
    m = (p + q) / 2
    to_p, to_q = (np.trapezoid(np.where(a > 0, a * np.log(np.maximum(a, 1e-300) / m), 0), t)
                  for a in (p, q))
    assert found["kl_model_mixture"] == pytest.approx(to_q, abs=1e-5)
    assert found["js_density"] == pytest.approx((to_p + to_q) / 2, abs=1e-5)
    apart = DensityDivergences().measure(between(40.0))
    assert apart["js_density"] == pytest.approx(math.log(2), abs=1e-6)


def test_a_density_that_the_grid_cannot_hold_has_no_number(between):
    with pytest.raises(NotApplicable, match="the model's density sums to"):
        DensityDivergences().measure(between(0.0, 1e-4))


def test_the_optimal_discriminator_is_known_and_none_has_a_higher_value(between):
    def logit(x):  # log p/q of N(0, 1) and N(1, 1)
        return 0.5 - x[:, 0]

    evidence = between(1.0, critic=probability(logit))
    best = OptimalDiscriminator().measure(evidence)
    js = DensityDivergences().measure(evidence)["js_density"]
    assert best["discriminator_error"] == pytest.approx(0, abs=1e-6)
    assert best["game_value"] == pytest.approx(2 * js - math.log(4), abs=1e-6)
    blind = OptimalDiscriminator().measure(
        between(1.0, critic=probability(lambda x: 0 * x[:, 0])))
    assert blind["game_value"] == pytest.approx(-math.log(4), abs=1e-6)
    m = norm.cdf(0.5) - 0.5  # E_m |½ − D*| is half of the total variation
    assert blind["discriminator_error"] == pytest.approx(m, abs=1e-5)
    with pytest.raises(NotApplicable):
        OptimalDiscriminator().measure(
            between(1.0, critic=CriticView(logit, torch.empty(0))))


def test_gradients_of_the_losses_are_those_of_the_divergences(between):
    found = GeneratorGradients().measure(between(1.0, 1.3))
    assert found["non_saturating_gap"] < 0.02
    assert found["minimax_gap"] < 0.02


def test_a_wrong_divergence_has_another_gradient(between, monkeypatch):
    """What the metric is for: −log D* is not KL alone, and not KL − JS."""
    from genbench.evaluation.metrics import generator_gradients

    true_losses = generator_gradients._losses

    def swapped(model, evidence):
        return tuple(reversed(true_losses(model, evidence)))

    monkeypatch.setattr(generator_gradients, "_losses", swapped)
    assert min(GeneratorGradients().measure(between(1.0)).values()) > 0.3


def test_dimensions_of_a_line_a_square_and_a_cube():
    draw = np.random.default_rng(0)
    for dims in (1, 2, 3):
        rows = np.zeros((2000, 4))
        rows[:, :dims] = draw.uniform(size=(2000, dims))
        turned = rows @ np.linalg.qr(draw.normal(size=(4, 4)))[0]
        assert two_nearest(turned) == pytest.approx(dims, rel=0.1)
    with pytest.raises(NotApplicable, match="two samples are equal"):
        two_nearest(np.zeros((5, 2)))


def test_the_dual_of_two_shifted_sets_and_its_lipschitz_constant():
    x = np.random.default_rng(0).normal(size=(30, 2))
    shift = np.array([3.0, 4.0])
    assert lipschitz_dual(x, x + shift, 1.0) == pytest.approx(5)  # every point moves by 5
    assert lipschitz_dual(x, x + shift, 2.5) == pytest.approx(12.5)
    assert lipschitz_dual(x, x[::-1], 1.0) == pytest.approx(0, abs=1e-9)


def test_plans_that_change():
    before = vertex_plan(np.array([[0.0, 1.0], [1.0, 0.0]]))
    after = vertex_plan(np.array([[1.0, 0.0], [0.0, 1.0]]))
    assert before.tolist() == [[0.5, 0], [0, 0.5]]
    assert moved_mass(before, before) == 0
    assert moved_mass(before, after) == 1
    assert moved_mass(before, (before + after) / 2) == pytest.approx(0.5)


def test_of_equal_samples_no_plan_changes(make, tmp_path):
    data = Gaussians().load(tmp_path)
    found = PlanChange(epsilon=0.5).measure(make(data))
    assert 0 < found["plan_change_0.5"] < found["vertex_change"]
    still = data.test.x[:1].repeat(210, 1)
    found = PlanChange().measure(make(data, given=still, sets=1, samples=210))
    assert found == pytest.approx({"vertex_change": 0, "plan_change_1.0": 0}, abs=1e-9)


def test_the_bias_of_gradients_on_two_points(between):
    """By order statistics: the pairs of a batch on the line are the smaller and the larger."""
    found = GradientBias().measure(between(1.0))
    t = np.linspace(-12, 12, 48_001)
    cdf, moved, density = norm.cdf(t), norm.cdf(t, 1), norm.pdf(t, 1)
    smaller = np.trapezoid(2 * density * (1 - moved) * (1 - (1 - cdf) ** 2), t)
    larger = np.trapezoid(2 * density * moved * cdf**2, t)
    mean = (2 * smaller - 1 + 2 * larger - 1) / 2
    assert found["w1_gradient_bias"] == pytest.approx(1 - mean, abs=0.03)
    assert found["cramer_gradient_bias"] == pytest.approx(0, abs=0.03)
    with pytest.raises(NotApplicable):
        gradient_bias.bias(np.ones((4, 1)), np.zeros(1))


def test_slopes_of_a_linear_critic(between):
    network = critic_network(Backbone("mlp", (1,), [4], 1, "relu"))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
        first = next(layer for layer in network.trunk.modules()
                     if isinstance(layer, torch.nn.Linear))
        first.weight[0, 0], network.head.weight[0, 0] = -3.0, 0.5
        first.bias[0] = 300.0  # never cut off
    critic = CriticView.of(TrainedCritic(network), network)
    found = CriticSlopes().measure(between(8.0, critic=critic))
    assert found["critic_value"] == pytest.approx(1.5 * 8, abs=0.5)
    assert found["coupling_slope"] == pytest.approx(1.5)
    assert found["largest_slope"] == pytest.approx(1.5)
    assert found["slope_bound"] == pytest.approx(1.5)
    other = CriticView(lambda x: x[:, 0], torch.empty(0))
    assert isinstance(CriticSlopes().measure(between(8.0, critic=other))["slope_bound"],
                      NotApplicable)


def test_a_perfect_discriminator_of_two_lines(make, tmp_path):
    from genbench.data.segment import Segment as SegmentData

    data = SegmentData(test_size=2000).load(tmp_path)
    model = Segment(Space("points", (2,)), offset=1.0)

    def found(steepness: float, place: float):
        score = probability(lambda x: steepness * (place - x[:, 0]))
        return PerfectDiscriminator().measure(make(data, model, critic=score))

    sure = found(60.0, 0.5)
    assert sure["discriminator_accuracy"] == 1
    assert sure["discriminator_slope"] < 1e-9
    soft = found(1.0, 0.5)
    d = 1 / (1 + math.exp(0.5))
    assert soft["discriminator_slope"] == pytest.approx(d * (1 - d))
    assert found(1.0, 2.0)["discriminator_accuracy"] == 0.5


@pytest.mark.parametrize(("options", "known"), [
    ({}, True), ({"spectral": True}, True), ({"instance_noise": 0.5}, True),
    ({"critic_norm": "layer"}, False),
])
def test_the_matrices_of_a_critic_are_those_of_its_layers(options, known):
    model = Gaussian(Space("points", (2,)))
    objective = Adversarial(model, critic="mlp", critic_widths=[8, 8], **options)
    matrices = CriticView.of(objective.trained_critic(model), objective).matrices
    assert [tuple(each.shape) for each in matrices] == ([(8, 2), (8, 8), (1, 8)] if known else [])
    if options.get("spectral"):
        norms = [torch.linalg.matrix_norm(each, 2).item() for each in matrices]
        assert norms == pytest.approx([1, 1, 1], abs=0.02)


def test_additive_couplings_keep_volumes_and_affine_ones_do_not(make, toy):
    found = {}
    for cls in (NICE, RealNVP):
        torch.manual_seed(0)
        model = cls(Space("points", (2,)), widths=[16])
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(0.3 * torch.randn_like(parameter))
        found[cls] = LogDeterminant().measure(make(toy, model))
        assert found[cls]["log_det_error"] == pytest.approx(0, abs=1e-4)
    assert found[NICE]["log_det_spread"] == pytest.approx(0, abs=1e-5)
    assert found[RealNVP]["log_det_spread"] > 0.05


def test_a_model_that_is_no_flow_has_no_determinant(between):
    with pytest.raises(NotApplicable, match="no flow"):
        LogDeterminant().measure(between(0.0))
