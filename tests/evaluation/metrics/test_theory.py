"""Divergences, transport between batches, and the gradient that a model would get."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist

from genbench.data.ring import Ring
from genbench.data.segment import Segment as SegmentData
from genbench.data.space import Space
from genbench.errors import NotApplicable
from genbench.evaluation.metrics.divergences import Divergences, divergences, shares
from genbench.evaluation.metrics.emd import EMD
from genbench.evaluation.metrics.model_gradient import ModelGradient
from genbench.evaluation.metrics.sinkhorn_distance import SinkhornDistance
from genbench.evaluation.metrics.wasserstein1 import Wasserstein1
from genbench.evaluation.transport import assignment_cost
from genbench.models.gaussian import Gaussian
from genbench.models.segment import Segment


def test_divergences_by_hand():
    p, q = np.array([0.5, 0.5, 0.0]), np.array([0.25, 0.5, 0.25])
    found = divergences(p, q)
    assert found["kl"] == pytest.approx(0.5 * math.log(2))
    to_p = 0.5 * math.log(0.5 / 0.375)
    to_q = 0.25 * math.log(0.25 / 0.375) + 0.25 * math.log(2)
    assert found["js_sum"] == pytest.approx(to_p + to_q)
    assert found["js"] == pytest.approx((to_p + to_q) / 2)
    assert divergences(q, p)["kl"] == math.inf
    assert divergences(p, p) == {"kl": 0, "js": 0, "js_sum": 0}
    apart = divergences(np.array([1.0, 0.0]), np.array([0.0, 1.0]))
    assert apart["js"] == pytest.approx(math.log(2))
    assert apart["js_sum"] == pytest.approx(2 * math.log(2))


def test_a_far_point_hides_nothing(make, tmp_path):
    data = Ring(test_size=20000).load(tmp_path)
    truth = make(data, None)
    exact = Divergences().measure(truth)["js"]
    x = truth.samples(0, 20000)
    missing = x[x[:, 0] < 0].repeat(3, 1)[:20000]  # half of the ring
    far = missing.clone()
    far[0] = 1e4
    js = [Divergences().measure(make(data, given=rows, sets=1))["js"] for rows in (missing, far)]
    assert js[0] > 0.1 > 50 * exact
    assert js[1] == pytest.approx(js[0], abs=1e-3)


def test_the_grid_is_the_datas_with_a_bin_beyond_on_either_side():
    data = np.linspace(0, 1, 101)[:, None]
    samples = np.array([[-7.0], [0.05], [0.95], [1e9]])
    found = shares(samples, data.min(0), np.ptp(data, 0), 10)
    assert found.tolist() == [0.25, 0.25, 0, 0, 0, 0, 0, 0, 0, 0, 0.25, 0.25]


@pytest.mark.parametrize("theta", [-1.0, -0.25, 0.0, 0.5])
def test_two_parallel_lines(make, tmp_path, theta):
    """K10: the Jensen–Shannon divergence jumps, the transport cost is |θ|."""
    data = SegmentData(test_size=20000).load(tmp_path)
    evidence = make(data, Segment(Space("points", (2,)), offset=theta))
    found = Divergences().measure(evidence)
    if theta:
        assert found["kl"] == math.inf
        assert found["js"] == pytest.approx(math.log(2))
        assert found["js_sum"] == pytest.approx(2 * math.log(2))
    else:
        assert max(found.values()) < 0.01
    w1 = Wasserstein1(size=2000, repeats=1).measure(evidence)["w1"]
    assert w1 == pytest.approx(abs(theta), abs=0.03)


def test_batches_of_points_and_of_images(make, toy, blob, images):
    evidence = make(toy, blob)
    x, y = evidence.samples(0, 50).double(), evidence.reference("test", 50).double()
    exact = assignment_cost(cdist(x, y))
    assert EMD(size=50).measure(evidence) == {"emd": pytest.approx(exact)}
    sinkhorn = SinkhornDistance(size=50, epsilon=0.02).measure(evidence)
    assert exact <= sinkhorn["sinkhorn_0.02"] < 1.05 * exact
    assert exact <= SinkhornDistance(size=50, epsilon=1e-4).measure(evidence)["sinkhorn_0.0001"]
    real = make(images)
    x, y = (rows.flatten(1).double() / 255 for rows in (real.samples(0, 40),
                                                         real.reference("test", 40)))
    assert EMD(size=40).measure(real)["emd"] == pytest.approx(assignment_cost(cdist(x, y)))
    assert EMD().protocol(real).startswith("200-test")  # all that there are
    assert EMD().measure(real) == EMD(size=200).measure(real)


def test_the_gradient_at_the_start_and_at_the_end(make, toy, blob):
    rows = [{"update": u, "stage": 0, "player": p, "term": t, "value": v}
            for u, v in ((10, 8.0), (20, 4.0), (30, 2.0), (40, 1.0))
            for p, t in (("watched", "model_gradient"), ("critic", "minimax"))]
    found = ModelGradient(updates=20).measure(make(toy, blob, curves=rows))
    assert found == {"model_gradient": 1.5, "model_gradient_start": 6.0}
    with pytest.raises(NotApplicable, match="model_gradient: true"):
        ModelGradient().measure(make(toy, blob, curves=[rows[1]]))


def test_the_gaussian_has_its_density():
    model = Gaussian(Space("points", (2,)), mean=[1.0, -2.0], std=0.5).double()
    with torch.no_grad():
        model.log_std[1] = math.log(3.0)
    normal = torch.distributions.Normal(model.centre, model.log_std.exp())
    x = torch.randn(9, 2).double()
    torch.testing.assert_close(model.log_prob(x), normal.log_prob(x).sum(1))
