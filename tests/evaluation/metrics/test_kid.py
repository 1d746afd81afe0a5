from __future__ import annotations

import numpy as np
import pytest
import torch
from torch_fidelity.metric_kid import kernel_mmd, kid_features_to_metric

from genbench.errors import NotApplicable
from genbench.evaluation.metrics import kid as module
from genbench.evaluation.metrics.kid import kid, kid_subsets, terms


def features(n: int, d: int, seed: int = 0, shift: float = 0.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.abs(rng.normal(size=(n, d)) + shift).astype(np.float32)


def naive(x: np.ndarray, y: np.ndarray) -> float:
    x, y = x.astype(np.float64), y.astype(np.float64)
    k = lambda a, b: (a @ b.T / a.shape[1] + 1) ** 3  # noqa: E731
    xx, yy, n, m = k(x, x), k(y, y), len(x), len(y)
    return ((xx.sum() - np.trace(xx)) / (n * (n - 1)) + (yy.sum() - np.trace(yy)) / (m * (m - 1))
            - 2 * k(x, y).mean())


@pytest.mark.parametrize("few", [0, 128])
@pytest.mark.parametrize(("n", "m"), [(300, 300), (700, 1203), (2, 5)])
def test_exact_estimate_by_moments_and_by_blocks(monkeypatch, few, n, m):
    monkeypatch.setattr(module, "FEW", few)
    x, y = features(n, 10), features(m, 10, 1, 0.3)
    assert kid(x, y) == pytest.approx(naive(x, y), rel=2e-5, abs=2e-6)


def test_agrees_with_torch_fidelity_over_all_samples():
    x, y = features(400, 150), features(400, 150, 1, 0.1)  # more features than moments serve
    theirs = float(kernel_mmd(x.astype(float), y.astype(float)))
    assert kid(x, y) == pytest.approx(theirs, rel=1e-4)


def test_subsets_are_those_of_torch_fidelity():
    x, y = features(300, 20), features(350, 20, 1, 0.2)
    theirs = kid_features_to_metric(
        torch.from_numpy(x), torch.from_numpy(y), kid_subsets=7, kid_subset_size=100,
        verbose=False, rng_seed=2020,
    )["kernel_inception_distance_mean"]
    assert kid_subsets(x, y, 7, 100) == pytest.approx(theirs, abs=1e-6)  # theirs is in float32
    with pytest.raises(NotApplicable, match="fewer than a subset of 301"):
        kid_subsets(x, y, 7, 301)


def test_symmetric_unbiased_and_growing():
    x, y = features(300, 8), features(200, 8, 1)
    assert kid(x, y) == pytest.approx(kid(y, x), abs=1e-9)
    rng = np.random.default_rng(3)
    null = [kid(*(rng.normal(size=(2, 60, 5)).astype(np.float32))) for _ in range(300)]
    assert np.mean(null) == pytest.approx(0, abs=4 * np.std(null) / np.sqrt(300))
    assert min(null) < 0  # negative values are legal
    assert kid(x, features(300, 8, 1, 0.2)) < kid(x, features(300, 8, 1, 0.5))


def test_known_terms_change_nothing():
    x, y = features(100, 6), features(120, 6, 1)
    assert kid(x, y, terms(y)) == kid(x, y)


def test_the_same_numbers_again_and_from_blocks_of_any_size(monkeypatch):
    x, y = features(700, 80), features(450, 80, 1, 0.2)
    whole = kid(x, y)
    assert kid(x, y) == whole
    monkeypatch.setattr(module, "BLOCK", 100)
    assert kid(x, y) == pytest.approx(whole, rel=1e-5)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
@pytest.mark.parametrize("d", [10, 150])
def test_a_gpu_gives_the_same_numbers(d):
    x, y = features(700, d), features(450, d, 1, 0.2)
    assert kid(x, y, device="cuda") == pytest.approx(kid(x, y), rel=1e-5)
    assert kid_subsets(x, y, 5, 100, "cuda") == pytest.approx(kid_subsets(x, y, 5, 100), rel=1e-5)
