"""Nearest neighbours in feature space, block by block: one pass gives every manifold metric."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from genbench.errors import NotApplicable
from genbench.evaluation.evidence import Evidence

__all__ = ["Manifold", "manifolds", "nearest", "of_evidence", "radii"]

BLOCK = 125
"""Rows of distances at a time: few enough to stay in the cache."""
LOW = 4
"""Features up to which a tree finds neighbours, and distances are sums of squared differences."""
EXACT = 32
"""Features up to which distances are taken in float64: with few of them they nearly cancel."""


@dataclass(frozen=True)
class Manifold:
    """Precision and recall (Kynkäänniemi et al., 2019), density and coverage (Naeem et al., 2020),
    all with balls that reach to the k-th neighbour."""

    precision: float
    recall: float
    density: float
    coverage: float


def radii(x: np.ndarray, ks: Sequence[int]) -> np.ndarray:
    """Squared distance of each row of x (N, d) to its k-th other row, for each k: (len(ks), N)."""
    if len(x) <= max(ks):
        raise NotApplicable(f"{len(x)} samples are too few for k = {max(ks)}")
    if x.shape[1] <= LOW:
        return _radii_by_tree(x, ks)
    distances = _distances_to(x, x.mean(0))
    most = max(ks)
    found = []
    for first in range(0, len(x), BLOCK):
        block = distances(x[first:first + BLOCK])
        rows = np.arange(len(block))
        block[rows, first + rows] = np.inf  # a row is not its own neighbour
        block.partition(most - 1, axis=1)  # one place is far quicker than several
        found.append(np.sort(block[:, :most], axis=1)[:, [k - 1 for k in ks]])
    return np.ascontiguousarray(np.concatenate(found).T)


def _radii_by_tree(x: np.ndarray, ks: Sequence[int]) -> np.ndarray:
    """The same for a few features; each row is its own nearest, so the k-th other is the next."""
    x = x.astype(np.float64)
    _, places = cKDTree(x).query(x, [k + 1 for k in ks])  # (N, len(ks))
    # squared as _distances_to does it, where the tree would give a rounded root
    return sum((x[:, i, None] - x[places, i]) ** 2 for i in range(x.shape[1])).T


def manifolds(
    real: np.ndarray, fake: np.ndarray, ks: Sequence[int],
    real_radii: np.ndarray | None = None,
) -> dict[int, Manifold]:
    """The four figures for each k, of features (N, d) and (M, d).

    `real_radii` are `radii(real, ks)` where they are known.
    """
    if real_radii is None:
        real_radii = radii(real, ks)
    fake_radii = radii(fake, ks)
    distances = _distances_to(fake, real.mean(0))
    inside = np.zeros((len(ks), len(fake)))  # balls of real rows around each sample
    recalled, covered = np.zeros(len(ks)), np.zeros(len(ks))
    for first in range(0, len(real), BLOCK):
        block = distances(real[first:first + BLOCK])
        closest = block.min(1)
        for i in range(len(ks)):
            reach = real_radii[i, first:first + BLOCK]
            inside[i] += np.count_nonzero(block <= reach[:, None], axis=0)
            recalled[i] += np.count_nonzero((block <= fake_radii[i]).any(1))
            covered[i] += np.count_nonzero(closest <= reach)
    return {
        k: Manifold(
            float((inside[i] > 0).mean()), float(recalled[i] / len(real)),
            float(inside[i].mean() / k), float(covered[i] / len(real)),
        )
        for i, k in enumerate(ks)
    }


def nearest(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The distance of each row of x (N, d) to the nearest row of y (M, d), (N,) float64.

    The row is found by expanded squares, whose rounding of a copy is no zero; its distance is then
    taken as it stands.
    """
    if x.shape[1] <= LOW:
        return cKDTree(y).query(x)[0]
    distances = _distances_to(y, y.mean(0))
    found = []
    for first in range(0, len(x), BLOCK):
        rows = x[first:first + BLOCK]
        closest = y[distances(rows).argmin(1)]
        found.append(np.linalg.norm(rows.astype(np.float64) - closest, axis=1))
    return np.concatenate(found)


def of_evidence(evidence: Evidence, extractor: str, sample_set: int, k: int) -> Manifold:
    """The four figures of a sample set at k; one pass serves k = 3, 5 and k."""
    n = evidence.count
    if n <= k:
        raise NotApplicable(f"{n} samples are too few for k = {k}")
    ks = sorted({k, *(other for other in (3, 5) if other < n)})
    network = evidence.extractor(extractor).name

    def compute() -> dict[int, Manifold]:
        real = evidence.reference_features(extractor, n=n)
        known = evidence.of_reference(
            f"squared radii {ks}", lambda: {"radii": radii(real, ks)}, extractor, n=n
        )
        fake = evidence.features(extractor, sample_set)
        return manifolds(real, fake, ks, known["radii"])

    return evidence.once(("manifolds", network, sample_set, tuple(ks)), compute)[k]


def _distances_to(
    y: np.ndarray, centre: np.ndarray
) -> Callable[[np.ndarray], np.ndarray]:
    """A function of rows (n, d) that gives their squared distances to the rows of y, (n, M)."""
    if y.shape[1] <= LOW:
        columns = y.T.astype(np.float64)

        def summed(x: np.ndarray) -> np.ndarray:
            block = np.zeros((len(x), len(y)))
            for mine, theirs in zip(x.T.astype(np.float64), columns, strict=True):
                gap = np.subtract.outer(mine, theirs)
                gap *= gap
                block += gap
            return block

        return summed
    kind = np.float64 if y.shape[1] <= EXACT else np.float32
    y = np.ascontiguousarray(y - centre, dtype=kind)
    norms, doubled = np.einsum("nd,nd->n", y, y), -2 * y.T

    def expanded(x: np.ndarray) -> np.ndarray:
        x = np.ascontiguousarray(x - centre, dtype=kind)
        block = x @ doubled
        block += np.einsum("nd,nd->n", x, x)[:, None]
        block += norms
        return block

    return expanded
