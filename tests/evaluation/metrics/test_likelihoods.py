"""NLL, bounds, gaps, and what is read off training curves."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.special import logsumexp

from genbench.data.base import Data
from genbench.errors import GenbenchError, NotApplicable, NotFinite
from genbench.evaluation.metrics._curves import last_mean
from genbench.evaluation.metrics._likelihood import bits_per_dim, finite_mean, importance_bound
from genbench.evaluation.metrics.bits_per_dim import BitsPerDim
from genbench.evaluation.metrics.critic_loss import CriticLoss
from genbench.evaluation.metrics.live_components import LiveComponents
from genbench.evaluation.metrics.neg_elbo import NegElbo
from genbench.evaluation.metrics.nll import Nll
from genbench.evaluation.metrics.nll_batch300 import NllBatch300
from genbench.evaluation.metrics.nll_gap import NllGap
from genbench.evaluation.metrics.nll_iw import NllIw
from genbench.evaluation.metrics.reconstruction import Reconstruction
from genbench.models.base import Model


class Bare(Model):
    def configure(self, options):
        pass

    def refuse(self, **given):
        pass

    def build(self, space):
        self.w = torch.nn.Parameter(torch.zeros(1))

    def generate(self, n, noise, context=None):
        return noise.normal("z", n, *self.space.shape)


class LinearGaussian(Bare):
    """x = z + noise, both standard: p(x) = N(0, 2I); the proposal is too wide on purpose."""

    def log_weights(self, x, noise, k=1):
        scale = 0.9
        eps = noise.normal("eps", k, *x.shape)
        z = x / 2 + scale * eps
        normal = lambda v, s: (-v.square() / (2 * s**2) - math.log(s * math.sqrt(2 * math.pi))).sum(-1)  # noqa: E501, E731
        return normal(z, 1.0) + normal(x - z, 1.0) - normal(z - x / 2, scale)


class OfTheLabel(Bare):
    """exp(−label) for each row, were it a density."""

    conditional = True

    def log_prob(self, x, context=None):
        return -context.float()

    def log_weights(self, x, noise, k=1, context=None):
        return -2 * context.float().expand(k, -1)

    def encode(self, x, context=None):
        return context[:, None].float()

    def decode(self, z, context=None):
        return (z / context[:, None].clamp(min=1)).reshape(-1, 1, 1, 1).expand(-1, 1, 8, 8)


class Weighted(Bare):
    def mixture_log_weights(self):
        return torch.tensor([0.5, 0.3, 0.15, 0.05]).log()

    def component_log_prob(self, x):
        return torch.zeros(len(x), 4)


class Halving(Bare):
    def encode(self, x):
        return x.flatten(1) / 2

    def decode(self, z):
        return z.reshape(len(z), *self.space.shape)


def test_a_conditional_model_is_measured_at_the_labels_of_the_rows(make, images):
    evidence = make(images, OfTheLabel, scale="unit", dequantise=True)
    logs, labels = evidence.likelihood(), images.test.y.double()
    unit = logs.exact() + labels  # the same constant for every row
    torch.testing.assert_close(unit, unit[:1].expand(len(labels)))
    some = labels[evidence.order("test")[:50]]
    torch.testing.assert_close(logs.weights(3, 50) + 2 * some, unit[:1].expand(3, 50))
    assert Reconstruction().measure(evidence)["reconstruction_error"] > 0
    torch.testing.assert_close(
        evidence.log_prob(images.test.x[:5], images.test.y[:5]) + labels[:5], unit[:5]
    )
    with pytest.raises(NotApplicable, match="conditional"):
        evidence.log_prob(images.test.x[:5])
    with pytest.raises(GenbenchError, match="a context is int64 labels of shape"):
        evidence.log_prob(images.test.x[:5], images.test.y[:4])


def test_nll_of_the_truth_is_the_entropy_and_its_gap_nothing(make, toy, blob):
    real = make(toy, None)
    assert Nll().measure(real)["nll"] == pytest.approx(toy.truth.entropy(), abs=0.05)
    assert NllGap().measure(real) == {"nll_gap": 0, "true_entropy": toy.truth.entropy()}
    model = make(toy, blob)
    gap = NllGap().measure(model)["nll_gap"]
    assert gap == pytest.approx(Nll().measure(model)["nll"] - Nll().measure(real)["nll"], abs=1e-5)
    assert gap > 5


def test_bits_of_a_uniform_density_are_those_of_the_levels(images):
    assert bits_per_dim(0.0, images) == pytest.approx(math.log2(17))
    binary = Data("images", (1, 8, 8), images.test, levels=2)
    assert bits_per_dim(64 * math.log(2), binary) == pytest.approx(1)
    wide = Data("images", (3, 4, 4), images.test, levels=256)
    assert bits_per_dim(-48 * math.log(2), wide) == pytest.approx(7)


def test_bits_per_dim_of_a_model(make, images, blob):
    evidence = make(images, blob, scale="unit", dequantise=True)
    nll = Nll().measure(evidence)["nll"]
    want = (nll + 64 * math.log(17)) / (64 * math.log(2))
    assert BitsPerDim().measure(evidence)["bits_per_dim"] == pytest.approx(want)


def test_nan_and_infinity_are_counted_and_never_dropped():
    values = torch.tensor([1.0, math.nan, math.inf, math.nan])
    with pytest.raises(NotFinite, match="2 NaN and 1 infinite among 4 numbers"):
        finite_mean(values, "numbers")


def test_importance_bound_is_a_log_mean():
    weights = torch.randn(7, 5, generator=torch.Generator().manual_seed(0)).double() * 9
    want = logsumexp(weights.numpy(), axis=0) - math.log(7)
    assert importance_bound(weights).numpy() == pytest.approx(want)


def test_bounds_stand_in_order_above_the_true_nll(make, toy):
    evidence = make(toy, LinearGaussian)
    x = toy.test.x[evidence.order("test")[:500]].double()
    exact = float((x.square() / 4 + math.log(math.sqrt(4 * math.pi))).sum(1).mean())
    elbo = NegElbo(points=500).measure(evidence)["neg_elbo"]
    ten = NllIw(k=10).measure(evidence)["nll_iw_k10"]
    many = NllIw(k=500).measure(evidence)["nll_iw_k500"]
    assert elbo > ten > many > exact - 0.01
    assert many == pytest.approx(exact, abs=0.02)
    # KL(q ‖ posterior) per dimension of N(m, 0.81) against N(m, 0.5)
    gap = 2 * (0.81 / 1.0 - 0.5 + 0.5 * math.log(0.5 / 0.81))
    assert elbo - exact == pytest.approx(gap, abs=0.15)
    assert NllIw(k=3).protocol(evidence) == "test-500"
    assert NegElbo(points=0).protocol(evidence) == "test-4k"


def rows(*entries):
    return [dict(zip(("update", "stage", "player", "term", "value"), entry)) for entry in entries]


def test_last_mean_weighs_stretches_by_their_length():
    curve = rows((100, 0, "model", "nll", 9.0), (400, 0, "model", "nll", 5.0),
                 (600, 0, "model", "nll", 2.0))
    assert last_mean(curve, "model", None, 200) == 2
    assert last_mean(curve, "model", None, 300) == pytest.approx((2 * 200 + 5 * 100) / 300)
    assert last_mean(curve, "model", None, 9999) == pytest.approx((900 + 1500 + 400) / 600)
    assert last_mean(curve, "critic", None, 200) is None
    assert last_mean([], "model", None, 200) is None


def test_a_term_that_came_late_counts_from_there():
    curve = rows((100, 0, "model", "adv", 1.0), (200, 1, "model", "nll", 4.0))
    assert last_mean(curve, "model", "nll", 500) == 4


def test_training_nll_is_brought_back_to_raw_points(make, toy, blob):
    curve = rows((1000, 0, "model", "nll", 2.0), (1000, 0, "model", "generator", 50.0))
    evidence = make(toy, blob, scale="standard", curves=curve)
    std = toy.truth.moments()[1].double()
    want = 300 * (2 + float(std.log().sum()))
    assert NllBatch300().measure(evidence)["nll_batch300"] == pytest.approx(want)
    assert NllBatch300().measure(make(toy, blob, curves=curve))["nll_batch300"] == 600
    with pytest.raises(NotApplicable, match="no likelihood"):
        NllBatch300().measure(make(toy, blob))


def test_of_two_terms_of_one_name_the_first_counts(make, toy, blob):
    curve = rows((1000, 0, "model", "nll", 2.3), (1000, 0, "model", "nll.1", 2.3))
    assert NllBatch300().measure(make(toy, blob, curves=curve))["nll_batch300"] == (
        pytest.approx(690))


def test_critic_loss_sums_the_critics_terms(make, toy, blob):
    curve = rows((10, 0, "critic", "wasserstein", -3.0), (10, 0, "critic", "penalty", 0.5),
                 (10, 0, "model", "generator", 7.0))
    assert CriticLoss().measure(make(toy, blob, curves=curve))["critic_loss"] == -2.5


def test_components_in_use(make, toy):
    found = LiveComponents().measure(make(toy, Weighted))
    weights = np.array([0.5, 0.3, 0.15, 0.05])
    assert found["live_components"] == 3  # over 0.125
    entropy = -(weights * np.log(weights)).sum()
    assert found["effective_components"] == pytest.approx(np.exp(entropy))


def test_reconstruction_error_is_on_the_natural_scale(make, images, toy):
    evidence = make(images, Halving, scale="unit")
    unit = images.test.x.double() / 16
    want = float((unit / 2).square().mean())
    assert Reconstruction().measure(evidence)["reconstruction_error"] == pytest.approx(want)
    points = make(toy, Halving, scale="standard")
    mean, std = toy.truth.moments()
    x = (toy.test.x - mean) / std
    want = float((x / 2 * std).square().mean())
    found = Reconstruction().measure(points)["reconstruction_error"]
    assert found == pytest.approx(want, rel=1e-4)
