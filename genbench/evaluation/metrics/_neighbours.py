"""Nearest neighbours in feature space, block by block: one pass gives every manifold metric.

Distances are computed on the given device. For few features neighbours are found by a k-d tree, on
the CPU, without computing all distances.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.spatial import cKDTree
from torch import Tensor

from genbench.errors import NotApplicable
from genbench.evaluation.evidence import Evidence
from genbench.evaluation.extractors.base import exact_arithmetic

_BLOCK = 125
"""Rows of distances at a time: few enough to stay in the cache."""
_LOW = 4
"""Features up to which a tree finds neighbours, and distances are sums of squared differences."""
_EXACT = 32
"""Features up to which distances are taken in float64: with few of them they nearly cancel."""


@dataclass(frozen=True)
class Manifold:
    """Precision and recall (Kynkäänniemi et al., 2019), density and coverage (Naeem et al., 2020),
    all with balls that reach to the k-th neighbour."""

    precision: float
    recall: float
    density: float
    coverage: float


def radii(
    x: np.ndarray, ks: Sequence[int], device: torch.device | str = "cpu"
) -> np.ndarray:
    """Squared distance of each row of x (N, d) to its k-th other row, for each k: (len(ks), N)."""
    if len(x) <= max(ks):
        raise NotApplicable(f"{len(x)} samples are too few for k = {max(ks)}")
    if x.shape[1] <= _LOW:
        return _radii_by_tree(x, ks)
    rows = _on(x, device)
    distances = _distances_to(rows, rows.mean(0))
    found = []
    for first in range(0, len(x), _BLOCK):
        block = distances(rows[first:first + _BLOCK])
        block.diagonal(first).fill_(torch.inf)  # a row is not its own neighbour
        found.append(block.topk(max(ks), 1, largest=False).values[:, [k - 1 for k in ks]])
    return torch.cat(found).T.contiguous().cpu().numpy()


def _radii_by_tree(x: np.ndarray, ks: Sequence[int]) -> np.ndarray:
    """The same for a few features; each row is its own nearest, so the k-th other is the next."""
    x = x.astype(np.float64)
    _, places = cKDTree(x).query(x, [k + 1 for k in ks])  # (N, len(ks))
    # squared as _distances_to does it, where the tree would give a rounded root
    return sum((x[:, i, None] - x[places, i]) ** 2 for i in range(x.shape[1])).T


def manifolds(
    real: np.ndarray, fake: np.ndarray, ks: Sequence[int],
    real_radii: np.ndarray | None = None, device: torch.device | str = "cpu",
) -> dict[int, Manifold]:
    """The four figures for each k, of features (N, d) and (M, d), taken on `device`.

    `real_radii` are `radii(real, ks)` where they are known.
    """
    if real_radii is None:
        real_radii = radii(real, ks, device)
    mine, theirs = _on(real_radii, device), _on(radii(fake, ks, device), device)
    rows = _on(real, device)
    distances = _distances_to(_on(fake, device), rows.mean(0))
    # balls of real rows around each sample
    inside = torch.zeros(len(ks), len(fake), dtype=torch.int64, device=device)
    recalled, covered = torch.zeros(2, len(ks), dtype=torch.int64, device=device)
    for first in range(0, len(real), _BLOCK):
        block = distances(rows[first:first + _BLOCK])
        closest = block.amin(1)
        for i in range(len(ks)):
            reach = mine[i, first:first + _BLOCK]
            inside[i] += (block <= reach[:, None]).sum(0)
            recalled[i] += (block <= theirs[i]).any(1).sum()
            covered[i] += (closest <= reach).sum()
    return {
        k: Manifold(
            float((inside[i] > 0).double().mean()), float(recalled[i]) / len(real),
            float(inside[i].double().mean()) / k, float(covered[i]) / len(real),
        )
        for i, k in enumerate(ks)
    }


def nearest(
    x: np.ndarray, y: np.ndarray, device: torch.device | str = "cpu"
) -> np.ndarray:
    """The distance of each row of x (N, d) to the nearest row of y (M, d), (N,) float64.

    The row is found by expanded squares, whose rounding of a copy is no zero; its distance is then
    taken as it stands.
    """
    if x.shape[1] <= _LOW:
        return cKDTree(y).query(x)[0]
    known = _on(y, device)
    distances = _distances_to(known, known.mean(0))
    found = []
    for rows in _on(x, device).split(_BLOCK):
        block = distances(rows)
        # torch's own takes ten times as long on the CPU
        place = block.argmin(1) if block.is_cuda else torch.from_numpy(block.numpy().argmin(1))
        closest = known[place]
        found.append((rows.double() - closest).norm(dim=1))
    return torch.cat(found).cpu().numpy()


def of_evidence(evidence: Evidence, extractor: str, sample_set: int, k: int) -> Manifold:
    """The four figures of a sample set at k; one pass serves k = 3, 5 and k."""
    n = evidence.count
    if n <= k:
        raise NotApplicable(f"{n} samples are too few for k = {k}")
    ks = sorted({k, *(other for other in (3, 5) if other < n)})
    network, device = evidence.extractor(extractor).name, evidence.device

    def compute() -> dict[int, Manifold]:
        real = evidence.reference_features(extractor, n=n)
        known = evidence.of_reference(
            # of the same device: equal distances are equal in the last bit on none but that
            f"squared radii {ks} {device.type}", lambda: {"radii": radii(real, ks, device)},
            extractor, n=n,
        )
        fake = evidence.features(extractor, sample_set)
        return manifolds(real, fake, ks, known["radii"], device)

    return evidence.once(("manifolds", network, sample_set, tuple(ks)), compute)[k]


def _on(x: np.ndarray, device: torch.device | str) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(x)).to(device)


def _distances_to(y: Tensor, centre: Tensor) -> Callable[[Tensor], Tensor]:
    """A function of rows (n, d) that gives their squared distances to the rows of y, (n, M)."""
    if y.shape[1] <= _LOW:
        columns = y.T.double()

        def summed(x: Tensor) -> Tensor:
            block = columns.new_zeros(len(x), len(y))
            for mine, theirs in zip(x.T.double(), columns, strict=True):
                gap = mine[:, None] - theirs
                gap *= gap
                block += gap
            return block

        return summed
    kind = torch.float64 if y.shape[1] <= _EXACT else torch.float32
    y = (y - centre).to(kind)
    norms, doubled = y.square().sum(1), -2 * y.T

    def expanded(x: Tensor) -> Tensor:
        x = (x - centre).to(kind)
        with exact_arithmetic(x.device):
            block = x @ doubled
        block += x.square().sum(1)[:, None]
        block += norms
        return block

    return expanded
