"""Precision, recall, density, coverage, and nearest neighbours."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.spatial import KDTree
from scipy.spatial.distance import cdist
from torch_fidelity.metric_prc import calculate_precision_recall_full

from genbench.errors import NotApplicable
from genbench.evaluation.metrics import _neighbours, density_coverage, kid, memorisation
from genbench.evaluation.metrics._neighbours import manifolds, nearest, radii
from genbench.evaluation.metrics.memorisation import copying


def cloud(n: int, d: int, seed: int = 0, shift: float = 0.0, scale: float = 1.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (scale * rng.normal(size=(n, d)) + shift).astype(np.float32)


def naive(real: np.ndarray, fake: np.ndarray, k: int) -> tuple[float, float, float, float]:
    real, fake = real.astype(np.float64), fake.astype(np.float64)
    reach = [np.sort(cdist(x, x), 1)[:, k] for x in (real, fake)]
    cross = cdist(real, fake)
    inside = cross <= reach[0][:, None]
    return (inside.any(0).mean(), (cross <= reach[1]).any(1).mean(),
            inside.sum(0).mean() / k, (cross.min(1) <= reach[0]).mean())


@pytest.mark.parametrize("d", [2, 40])
@pytest.mark.parametrize(("n", "m"), [(300, 300), (700, 1100)])
def test_all_four_against_a_naive_twin_and_torch_fidelity(d, n, m):
    real, fake = cloud(n, d), cloud(m, d, 1, 0.4, 0.8)
    found = manifolds(real, fake, (3, 5))
    for k in (3, 5):
        mine = found[k]
        assert (mine.precision, mine.recall, mine.density, mine.coverage) == pytest.approx(
            naive(real, fake, k), abs=1e-12)
    theirs = calculate_precision_recall_full(torch.from_numpy(fake), torch.from_numpy(real), 3)
    assert (found[3].precision, found[3].recall) == pytest.approx(theirs, abs=2e-3)


def test_equal_sets_disjoint_sets_and_lost_modes():
    real = cloud(400, 4)
    same = manifolds(real, real, (5,))[5]
    assert (same.precision, same.recall, same.coverage) == (1, 1, 1)
    far = manifolds(real, real + 100, (5,))[5]
    assert (far.precision, far.recall, far.density, far.coverage) == (0, 0, 0, 0)
    two = np.concatenate([cloud(200, 4), cloud(200, 4, 1, 30)])
    half = manifolds(two, cloud(400, 4, 2), (5,))[5]
    assert half.precision > 0.9
    assert half.recall < 0.55
    assert half.coverage < 0.55


def test_points_far_from_the_origin_keep_their_digits():
    real = cloud(600, 2) * 1e-3 + 1000
    fake = cloud(600, 2, 1) * 1e-3 + 1000
    mine = manifolds(real, fake, (3,))[3]
    assert (mine.precision, mine.recall) == pytest.approx(naive(real, fake, 3)[:2], abs=1e-12)


def test_too_few_samples_have_no_kth_neighbour():
    with pytest.raises(NotApplicable, match="5 samples are too few for k = 5"):
        radii(cloud(5, 2), (3, 5))


def test_nearest_is_the_kd_trees():
    x, y = cloud(700, 3), cloud(900, 3, 1)
    assert nearest(x, y) == pytest.approx(KDTree(y).query(x)[0], abs=1e-5)


def test_copies_are_seen_and_fresh_draws_are_not():
    train, held, fresh = cloud(2000, 3), cloud(1000, 3, 1), cloud(1000, 3, 2)
    base = nearest(held, train)
    ratio, close = copying(nearest(train[:1000] + 1e-5, train), base)
    assert ratio < 0.001
    assert close > 0.99
    ratio, close = copying(nearest(fresh, train), base)
    assert ratio == pytest.approx(1, abs=0.1)
    assert close == pytest.approx(0.01, abs=0.012)
    with pytest.raises(NotApplicable, match="training rows"):
        copying(base, np.zeros(5))


@pytest.mark.parametrize("d", [3, 20, 128])
def test_exact_copies_are_at_no_distance(d):
    train, held = cloud(2000, d, shift=3), cloud(500, d, 1, shift=3)
    near = nearest(train[200:700], train)
    assert not near.any()
    assert copying(near, nearest(held, train))[0] == 0
    wide = cdist(held.astype(np.float64), train.astype(np.float64)).min(1)
    assert nearest(held, train) == pytest.approx(wide, rel=1e-6)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
@pytest.mark.parametrize("d", [2, 20, 128])
def test_a_gpu_gives_the_same_numbers(d):
    real, fake = cloud(700, d), cloud(900, d, 1, 0.4, 0.8)
    mine, theirs = (manifolds(real, fake, (3,), device=on)[3] for on in ("cpu", "cuda"))
    assert vars(theirs) == pytest.approx(vars(mine), abs=5e-3)
    assert nearest(fake, real, "cuda") == pytest.approx(nearest(fake, real), rel=1e-6)


def test_everything_is_taken_where_the_model_is(make, images, implicit, monkeypatch):
    evidence = make(images, implicit, sets=1)
    seen: list[tuple[str, object]] = []
    for module, name in ((kid, "_on"), (_neighbours, "_on")):
        monkeypatch.setattr(module, name, watched(getattr(module, name), module.__name__, seen))
    evidence.device = here = torch.device("cpu", 0)
    for metric in (kid.Kid(subsets=2, subset_size=50), density_coverage.DensityCoverage(),
                   memorisation.Memorisation()):
        before = len(seen)
        metric.measure(evidence)
        assert len(seen) > before
    assert {device for _, device in seen} == {here}


def watched(move, name, seen):
    def moved(x, device):
        seen.append((name, device))
        return move(x, device)

    return moved
