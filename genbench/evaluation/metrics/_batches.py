"""Batches of samples and of test rows, flat, on the natural scale of the data."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from genbench.evaluation.evidence import Evidence

__all__ = ["batch_costs", "matched"]


def matched(evidence: Evidence, size: int) -> int:
    """`size`, or as many rows as both sides have: a test split, or samples that are given."""
    return min(evidence.at_most(size), len(evidence.data.test))


def batch_costs(evidence: Evidence, sample_set: int, size: int, cost: str) -> np.ndarray:
    """The costs (size, size) between samples and as many test rows, "euclidean" or its square.

    Points as they are, images with pixels on [0, 1].
    """
    from scipy.spatial.distance import cdist

    x, y = evidence.samples(sample_set, size), evidence.reference("test", size)
    name = "sqeuclidean" if cost == "squared_euclidean" else "euclidean"
    return cdist(_flat(x), _flat(y), name)


def _flat(rows: Tensor) -> np.ndarray:
    flat = rows.flatten(1).double().numpy()
    return flat / 255 if rows.dim() == 4 else flat
