"""Metrics behind claims on critics, gradients and scales, against independent truth."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from scipy.stats import cauchy, kstest, spearmanr

from genbench.data.gaussians import Gaussians
from genbench.data.space import Space
from genbench.errors import GenbenchError, NotApplicable
from genbench.evaluation.critic import CriticView
from genbench.evaluation.metrics import noisy_gradients as noisy
from genbench.evaluation.metrics.critic_moments import CriticMoments, beyond_quadratic
from genbench.evaluation.metrics.inverse_consistency import InverseConsistency
from genbench.evaluation.metrics.near_optimal_critic import NearOptimalCritic, misleading_critic
from genbench.evaluation.metrics.noisy_gradients import NoisyGradients
from genbench.evaluation.metrics.scale_importance import ScaleImportance, rank_correlation
from genbench.evaluation.metrics.transport_dual import dual_on_samples, lipschitz_dual
from genbench.models.gaussian import Gaussian
from genbench.models.gaussian_autoencoder import GaussianAutoencoder
from genbench.models.nice import NICE
from genbench.models.perturbed_data import PerturbedData
from genbench.noise import Noise
from genbench.objectives.base import Batch, first_of_each_class
from genbench.objectives.bigan import BiGAN


def view(score, *, probability: bool = False) -> CriticView:
    return CriticView(score, torch.empty(0), probability=probability)


# --- critics ---------------------------------------------------------------------------------


def test_a_cubic_is_beyond_a_quadratic_by_its_third_hermite_polynomial():
    """Of x ~ N(0, 1): x³ = He₃ + 3 He₁, of variances 6 and 9."""
    x = np.random.default_rng(0).normal(size=(400_000, 1))
    assert beyond_quadratic(x, x[:, 0] ** 3) == pytest.approx(6 / 15, abs=0.01)
    assert beyond_quadratic(x, (x[:, 0] - 3) ** 2) == pytest.approx(0, abs=1e-12)
    with pytest.raises(NotApplicable, match="constant"):
        beyond_quadratic(x, np.ones(len(x)))


def test_in_the_plane_products_of_coordinates_are_quadratic(make, toy):
    model = Gaussian(Space("points", (2,)))
    found = CriticMoments().measure(make(toy, model, critic=view(lambda x: x[:, 0] * x[:, 1])))
    assert found["higher_moments"] == pytest.approx(0, abs=1e-6)
    waves = view(lambda x: torch.sin(9 * x[:, 0]))
    found = CriticMoments().measure(make(toy, model, critic=waves))
    assert found["higher_moments"] > 0.5


def test_a_misleading_critic_has_slope_one_nearly_the_best_value_and_wrong_gradients():
    draw = np.random.default_rng(1)
    x, y = draw.normal(size=(20, 2)), draw.normal((4.0, 0.0), size=(20, 2))
    optimal = np.tile([1.0, 0.0], (20, 1))
    dual = dual_on_samples(x, y, 1.0)
    for short in (0.1, 0.001):
        critic = misleading_critic(x, optimal, dual, short)
        around = draw.normal(size=(200, 2)) * 4
        for a, b in itertools.pairwise(around):
            rise = abs(critic(a[None])[0] - critic(b[None])[0])
            assert rise <= np.linalg.norm(a - b) + 1e-12
        step = 1e-9  # finite differences, far below the distance to an apex
        slopes = [(critic(x + step * e) - critic(x - step * e)) / (2 * step) for e in np.eye(2)]
        assert np.stack(slopes, 1) == pytest.approx(-optimal, abs=1e-4)
        assert critic.gradient(x) == pytest.approx(-optimal)
        value = float(critic(y).mean() - critic(x).mean())
        assert 0 <= 1 - value / lipschitz_dual(x, y, 1.0) <= 2 * short


@pytest.mark.parametrize("short", [0.1, 0.001])
def test_its_shortfall_is_the_share_and_its_error_is_two(make, toy, short):
    evidence = make(toy, Gaussian(Space("points", (2,)), mean=[0.5, 0.0]))
    found = NearOptimalCritic(short=short).measure(evidence)
    assert 0 <= found[f"critic_shortfall_{short}"] <= 2 * short
    assert found[f"critic_gradient_error_{short}"] == pytest.approx(2)


# --- gradients near a perfect discriminator -----------------------------------------------------


def test_the_distance_from_cauchy_is_that_of_kolmogorov_and_smirnov():
    values = np.random.default_rng(0).normal(size=500)
    assert noisy.cauchy_distance(values) == pytest.approx(
        float(kstest(values, cauchy.cdf).statistic))


@pytest.fixture
def near(make, tmp_path):
    def build(score):
        data = Gaussians(means=[[0.0]], test_size=2000).load(tmp_path)
        model = Gaussian(Space("points", (1,)), mean=[8.0])
        return make(data, model, critic=view(score, probability=True))

    return build


def test_at_a_perfect_discriminator_no_batch_narrows_the_gradient(near):
    found = NoisyGradients().measure(near(lambda x: -60 + 0 * x[:, 0]))
    assert found["cauchy_distance"] < 0.02
    assert found["batch_width"] == pytest.approx(1, abs=0.08)


def test_where_it_is_in_doubt_a_batch_narrows_it(near):
    found = NoisyGradients().measure(near(lambda x: 0 * x[:, 0]))  # D = ½ everywhere
    assert found["batch_width"] == pytest.approx(1 / math.sqrt(64), rel=0.1)
    assert found["cauchy_distance"] > 0.3


def test_a_critic_without_probabilities_has_no_such_gradient(make, toy):
    model = Gaussian(Space("points", (2,)))
    with pytest.raises(NotApplicable, match="no probability"):
        NoisyGradients().measure(make(toy, model, critic=view(lambda x: x[:, 0])))


# --- scales and codes ------------------------------------------------------------------------


def test_rank_correlation_is_spearmans():
    a, b = np.random.default_rng(0).normal(size=(2, 30))
    assert rank_correlation(a, b) == pytest.approx(float(spearmanr(a, b).statistic))


def test_of_independent_coordinates_the_largest_scale_loses_least(make, tmp_path):
    std = np.array([3.0, 0.5, 2.0])
    data = Gaussians(means=[[0.0] * 3], covariances=[np.diag(std**2).tolist()],
                     test_size=2000).load(tmp_path)
    model = NICE(Space("points", (3,)), couplings=0)
    with torch.no_grad():
        model.flow.log_s.copy_(torch.tensor(-np.log(std)))
    assert ScaleImportance().measure(make(data, model)) == {"scale_importance": -1.0}
    with torch.no_grad():  # not what it says, but what is lost, is measured
        model.flow.log_s.copy_(torch.tensor(np.log(std)))
    assert ScaleImportance().measure(make(data, model)) == pytest.approx({"scale_importance": 1})
    with pytest.raises(NotApplicable, match="no learned scales"):
        ScaleImportance().measure(make(data, Gaussian(Space("points", (3,)))))


def test_an_affine_encoder_inverts_its_generator_or_does_not(make, tmp_path):
    data = Gaussians(means=[[0.0]], test_size=2000).load(tmp_path)
    space = Space("points", (1,))

    def error(**options: object) -> float:
        model = GaussianAutoencoder(space, **options)
        return InverseConsistency().measure(make(data, model))["code_error"]

    assert error(mean=[2.0], std=3.0, code_mean=[2.0], code_std=3.0) == pytest.approx(0, abs=1e-9)
    assert error(mean=[2.0], code_mean=[1.5]) == pytest.approx(0.25)
    with pytest.raises(GenbenchError, match="code_mean has 2 numbers"):
        GaussianAutoencoder(space, code_mean=[0.0, 1.0])


def test_its_density_is_that_of_its_samples():
    model = GaussianAutoencoder(Space("points", (2,)), mean=[1.0, -2.0], std=0.5)
    x = torch.tensor([[1.0, -2.0], [1.5, -1.0]])
    exact = [-math.log(2 * math.pi * 0.25) - each / 0.5 for each in (0.0, 1.25)]
    assert model.log_prob(x).tolist() == pytest.approx(exact, abs=1e-5)
    drawn = model.generate(20_000, Noise(0))
    assert drawn.mean(0).tolist() == pytest.approx([1.0, -2.0], abs=0.02)
    assert drawn.std(0).tolist() == pytest.approx([0.5, 0.5], abs=0.02)


def test_it_is_what_a_bigan_trains():
    model = GaussianAutoencoder(Space("points", (1,)), mean=[1.0], code_mean=[-1.0])
    objective = BiGAN(model, critic="mlp", critic_widths=[8, 8])
    terms = objective.loss("model", model, Batch(torch.randn(16, 1)), Noise(0))
    torch.stack(list(terms.values())).sum().backward()
    for parameter in model.parameters():
        assert parameter.grad is not None
        assert parameter.grad.abs().sum() > 0


# --- one picture of each class ------------------------------------------------------------------


def test_of_each_class_the_first_example_is_kept():
    x = torch.arange(6.0)[:, None]
    rows = first_of_each_class(Batch(x, torch.tensor([2, 0, 2, 1, 0, 1])))
    assert rows.flatten().tolist() == [1, 3, 0]
    with pytest.raises(GenbenchError, match="no labels"):
        first_of_each_class(Batch(x))


def test_copies_of_one_example_of_each_class():
    from genbench.objectives.adversarial import Adversarial

    model = PerturbedData(Space("points", (2,)), noise=0.0, points=30, one_of_each_class=True)
    objective = Adversarial(model, critic_only=True, critic_widths=[4])
    labels = torch.arange(90) % 3
    objective.prepare(model, lambda n, noise: Batch(
        torch.stack((labels.float(), torch.arange(90.0)), 1), labels), Noise(0))
    drawn = model.generate(300, Noise(1))
    assert sorted(map(tuple, drawn.unique(dim=0).tolist())) == [(0, 0), (1, 1), (2, 2)]


@pytest.mark.parametrize(("classes", "kept"), [(0, False), (3, True), (1008, False)])
def test_figures_get_the_classes_of_a_classifier_that_was_asked(classes, kept):
    """Features without logits, as pixels are, and those of a thousand classes have none."""
    from types import SimpleNamespace

    from genbench.evaluation.figure_data import _labels

    network = SimpleNamespace(name="some")
    logits = np.log(np.full((4, classes), 1 / max(1, classes), np.float32))
    evidence = SimpleNamespace(extractors=lambda: [network], logits=lambda *_: logits)
    found = _labels(evidence, 4)
    assert set(found) == ({"label_probabilities"} if kept else set())
    if kept:
        assert found["label_probabilities"] == pytest.approx(1 / classes)
