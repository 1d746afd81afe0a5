from __future__ import annotations

import numpy as np
import pytest
import torch
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric

from genbench.errors import NotApplicable
from genbench.evaluation.metrics.fid import frechet_distance, moments, rows_distance


def features(n: int, d: int, seed: int = 0, shift: float = 0.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    mixed = rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) / np.sqrt(d) + shift
    return np.maximum(mixed, 0).astype(np.float32)


def fid(x: np.ndarray, y: np.ndarray) -> float:
    return frechet_distance(moments(x), moments(y, root=True))


def theirs(x: np.ndarray, y: np.ndarray) -> float:
    stats = [fid_features_to_statistics(torch.from_numpy(rows).double()) for rows in (x, y)]
    return fid_statistics_to_metric(*stats, verbose=False)["frechet_inception_distance"]


@pytest.mark.parametrize(("n", "m"), [(500, 500), (400, 900)])
def test_agrees_with_torch_fidelity(n, m):
    x, y = features(n, 24), features(m, 24, 1, 0.2)
    assert fid(x, y) == pytest.approx(theirs(x, y), rel=1e-9)
    assert rows_distance(x, y) == pytest.approx(theirs(x, y), rel=1e-9)


def test_fewer_rows_than_features():
    x, y = features(20, 64), features(30, 64, 1)
    assert rows_distance(x, y) == pytest.approx(theirs(x, y), rel=1e-5)
    assert fid(x, y) == pytest.approx(rows_distance(x, y), rel=1e-6)


def test_dead_features_make_the_covariance_singular_and_change_nothing():
    x, y = features(300, 16), features(300, 16, 1, 0.1)
    padded = [np.concatenate([rows, np.zeros((300, 4), np.float32)], 1) for rows in (x, y)]
    assert fid(*padded) == pytest.approx(fid(x, y), rel=1e-6)


def test_identity_symmetry_and_growth():
    x, y = features(400, 12), features(400, 12, 1)
    assert fid(x, x) == pytest.approx(0, abs=1e-6)
    assert fid(x, y) == pytest.approx(fid(y, x), rel=1e-8)
    assert [fid(x, x + s) for s in (0.1, 0.2, 0.4)] == pytest.approx(
        [12 * s**2 for s in (0.1, 0.2, 0.4)], rel=1e-4)


def test_closed_form_of_two_gaussians():
    rng = np.random.default_rng(0)
    z = rng.normal(size=(4000, 3))
    z = (z - z.mean(0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(z.T))).T  # exactly N(0, I)
    a, b = np.array([1.0, 2.0, 0.5]), np.array([2.0, 1.0, 3.0])
    want = 4 + 1 + 0.25 + ((a - b) ** 2).sum()
    assert fid(z * a, z * b + [2.0, 1.0, 0.5]) == pytest.approx(want, rel=1e-9)


def test_moments_are_numpys():
    x = features(5001, 7)  # over several chunks
    known = moments(x)
    assert np.allclose(known["mean"], x.astype(np.float64).mean(0), rtol=1e-12)
    assert np.allclose(known["covariance"], np.cov(x.T.astype(np.float64)), rtol=1e-10)


def test_one_sample_has_no_covariance():
    with pytest.raises(NotApplicable, match="at least 2"):
        moments(features(1, 3))


def test_a_set_is_not_below_zero_from_itself():
    for seed in range(5):
        x = features(300, 40, seed)
        assert 0 <= fid(x, x) < 1e-6
        assert 0 <= rows_distance(x[:30], x[:30]) < 1e-6
