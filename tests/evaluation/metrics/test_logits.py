"""Inception Score and MODE score."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.special import log_softmax
from scipy.stats import entropy
from torch_fidelity.metric_isc import isc_features_to_metric

from genbench.evaluation.metrics._logits import mean_posterior, relative_entropy
from genbench.evaluation.metrics.inception_score import inception_score
from genbench.evaluation.metrics.mode_score import mean_divergence, mode_scores


def logits(n: int, k: int, seed: int = 0, scale: float = 3.0) -> np.ndarray:
    return (scale * np.random.default_rng(seed).normal(size=(n, k))).astype(np.float32)


@pytest.mark.parametrize(("n", "splits"), [(500, 10), (1203, 7), (2500, 1)])
def test_inception_score_is_torch_fidelitys(n, splits):
    rows = logits(n, 20)
    theirs = isc_features_to_metric(torch.from_numpy(rows), splits)
    mean, std = inception_score(rows, splits)
    assert mean == pytest.approx(theirs["inception_score_mean"], rel=1e-6)
    assert std == pytest.approx(theirs["inception_score_std"], rel=1e-4, abs=1e-6)


def test_inception_score_of_certain_and_of_blind_classifiers():
    certain = np.eye(10, dtype=np.float32)[np.arange(1000) % 10] * 200
    assert inception_score(certain, 1)[0] == pytest.approx(10, rel=1e-5)
    assert inception_score(np.zeros((100, 10), np.float32))[0] == pytest.approx(1, abs=1e-6)


def test_relative_entropy_is_scipys():
    p, q = np.array([0.2, 0.8, 0.0]), np.array([0.3, 0.5, 0.2])
    assert relative_entropy(p, q) == pytest.approx(entropy(p, q))
    assert relative_entropy(q, p) == np.inf


def test_mode_scores_against_a_naive_twin():
    rows, star = logits(800, 6), np.array([0.1, 0.1, 0.2, 0.2, 0.3, 0.1])
    log_p = log_softmax(rows.astype(np.float64), 1)
    p, mean = np.exp(log_p), np.exp(log_p).mean(0)
    divergence = lambda q: (p * (log_p - np.log(q))).sum(1).mean()  # noqa: E731
    thesis, xu = mode_scores(rows, star)
    assert thesis == pytest.approx(np.exp(divergence(star) - entropy(star, mean)), rel=1e-5)
    assert xu == pytest.approx(np.exp(divergence(mean) - entropy(mean, star)), rel=1e-5)
    assert mean_posterior(rows) == pytest.approx(mean, rel=1e-5)


def test_the_mixed_form_is_the_inception_score_and_no_metric():
    rows, star = logits(1500, 6), np.array([0.5, 0.1, 0.1, 0.1, 0.1, 0.1])
    mixed = np.exp(mean_divergence(rows, star) - relative_entropy(mean_posterior(rows), star))
    assert mixed == pytest.approx(inception_score(rows, 1)[0], rel=1e-5)
    assert mode_scores(rows, star)[0] != pytest.approx(mixed, rel=0.02)


def test_mode_score_falls_to_zero_as_a_class_vanishes_and_the_xu_form_does_not():
    star = np.full(4, 0.25)
    whole = np.eye(4, dtype=np.float32)[np.arange(400) % 4] * 200
    lost = np.eye(4, dtype=np.float32)[np.arange(399) % 3] * 200
    assert mode_scores(whole, star) == pytest.approx((4, 4), rel=1e-6)
    thesis, xu = mode_scores(lost, star)
    assert thesis == pytest.approx(0, abs=1e-6)
    assert xu == pytest.approx(np.exp(np.log(3) - np.log(4 / 3)), rel=1e-5)
