"""Nearest neighbours in feature space, block by block: one pass gives every manifold metric."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from genbench.errors import NotApplicable
from genbench.evaluation.evidence import Evidence

__all__ = ["Manifold", "manifolds", "nearest", "of_evidence", "radii"]

BLOCK = 500
EXACT = 32
"""Features up to which distances are taken in float64: in a plane they nearly cancel."""


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
        raise NotApplicable(f"{len(x)} samples have no {max(ks)}-th neighbour")
    x = _ready(x, x.mean(0))
    norms = _norms(x)
    found = np.empty((len(ks), len(x)), x.dtype)
    places = [k - 1 for k in ks]
    for first in range(0, len(x), BLOCK):
        block = _squared(x[first:first + BLOCK], norms[first:first + BLOCK], x, norms)
        rows = np.arange(len(block))
        block[rows, first + rows] = np.inf  # a row is not its own neighbour
        block.partition(places, axis=1)
        for i, place in enumerate(places):
            found[i, first:first + BLOCK] = block[:, place]
    return found


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
    centre = real.mean(0)
    real, fake = _ready(real, centre), _ready(fake, centre)
    norms = _norms(fake)
    inside = np.zeros((len(ks), len(fake)))  # balls of real rows around each sample
    recalled, covered = np.zeros(len(ks)), np.zeros(len(ks))
    for first in range(0, len(real), BLOCK):
        rows = real[first:first + BLOCK]
        block = _squared(rows, _norms(rows), fake, norms)
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
    """The distance of each row of x (N, d) to the nearest row of y (M, d), (N,)."""
    centre = y.mean(0)
    x, y = _ready(x, centre), _ready(y, centre)
    norms = _norms(y)
    parts = [
        _squared(x[i:i + BLOCK], _norms(x[i:i + BLOCK]), y, norms).min(1)
        for i in range(0, len(x), BLOCK)
    ]
    return np.sqrt(np.concatenate(parts).clip(0))


def of_evidence(evidence: Evidence, extractor: str, sample_set: int, k: int) -> Manifold:
    """The four figures of a sample set at k; one pass serves k = 3, 5 and k."""
    ks = sorted({3, 5, k})
    n = evidence.count
    if n <= max(ks):
        raise NotApplicable(f"{n} samples have no {max(ks)}-th neighbour")
    network = evidence.extractor(extractor).name

    def compute() -> dict[int, Manifold]:
        real = evidence.reference_features(extractor, n=n)
        known = evidence.of_reference(
            f"radii {ks}", lambda: {"radii": radii(real, ks)}, extractor, n=n
        )
        fake = evidence.features(extractor, sample_set)
        return manifolds(real, fake, ks, known["radii"])

    return evidence.once(("manifolds", network, sample_set, tuple(ks)), compute)[k]


def _ready(x: np.ndarray, centre: np.ndarray) -> np.ndarray:
    kind = np.float64 if x.shape[1] <= EXACT else np.float32
    return np.ascontiguousarray(x - centre, dtype=kind)


def _norms(x: np.ndarray) -> np.ndarray:
    return np.einsum("nd,nd->n", x, x)


def _squared(a: np.ndarray, a_norms: np.ndarray, b: np.ndarray, b_norms: np.ndarray) -> np.ndarray:
    """Squared distances (len(a), len(b))."""
    block = a @ b.T
    block *= -2
    block += a_norms[:, None]
    block += b_norms
    return block
