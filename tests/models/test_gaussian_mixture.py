"""The classical row against scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from sklearn.mixture import GaussianMixture as Twin

from genbench.data.space import Space
from genbench.errors import GenbenchError
from genbench.models.gaussian_mixture import GaussianMixture
from genbench.noise import Noise

POINTS = Space("points", (2,))


def clusters(n: int = 600) -> torch.Tensor:
    centres = torch.tensor([[0.0, 3.0], [2.0, -1.0], [-3.0, 0.0]])
    return centres[torch.arange(n) % 3] + 0.4 * Noise(9).normal("x", n, 2)


@pytest.mark.parametrize("form", ["full", "diag", "tied", "spherical"])
def test_the_fit_is_scikit_learns(form: str) -> None:
    x = clusters()
    model = GaussianMixture(POINTS, components=3, covariance=form)
    model.fit(x, 2**62 + 5)
    seed = (2**62 + 5) % 2**32
    twin = Twin(3, covariance_type=form, max_iter=500, random_state=seed).fit(x.double().numpy())
    test = Noise(1).normal("t", 50, 2)
    np.testing.assert_allclose(
        model.log_prob(test), twin.score_samples(test.double().numpy()), rtol=1e-5, atol=1e-5
    )
    joint = model.component_log_prob(test) + model.mixture_log_weights()
    posterior = torch.softmax(joint, 1)
    np.testing.assert_allclose(
        posterior, twin.predict_proba(test.double().numpy()), rtol=1e-4, atol=1e-6
    )


def test_samples_have_the_fitted_moments_and_components() -> None:
    model = GaussianMixture(POINTS, components=3)
    model.fit(clusters(), 1)
    x, c = model.generate_with_components(6000, Noise(2))
    assert x.dtype == torch.float32
    assert torch.equal(x, model.generate(6000, Noise(2)))
    for i in range(3):
        rows = x[c == i].double()
        covariance = model.factors[i] @ model.factors[i].T
        torch.testing.assert_close(rows.mean(0), model.means[i], atol=0.05, rtol=0)
        torch.testing.assert_close(torch.cov(rows.T), covariance, atol=0.03, rtol=0)


def test_unfitted_it_is_a_standard_normal() -> None:
    model = GaussianMixture(POINTS)
    expected = -math.log(2 * math.pi) - 0.5
    assert float(model.log_prob(torch.tensor([[1.0, 0.0]]))) == pytest.approx(expected)


def test_it_is_saved_with_its_buffers() -> None:
    model = GaussianMixture(POINTS, components=3)
    model.fit(clusters(), 1)
    twin = GaussianMixture(POINTS, components=3)
    twin.load_state_dict(model.state_dict())
    x = clusters(30)
    assert torch.equal(model.log_prob(x), twin.log_prob(x))


def test_images_are_flattened() -> None:
    space = Space("images", (1, 2, 2), levels=5, low=0.0, high=1.0, dequantised=True)
    model = GaussianMixture(space, components=2)
    model.fit(torch.rand(100, 1, 2, 2), 0)
    assert model.log_prob(torch.rand(7, 1, 2, 2)).shape == (7,)
    assert model.generate(5, Noise(0)).shape == (5, 1, 2, 2)


def test_too_few_points_are_refused() -> None:
    with pytest.raises(GenbenchError, match="10 components need as many points at least"):
        GaussianMixture(POINTS).fit(torch.zeros(9, 2), 0)
