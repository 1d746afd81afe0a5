"""Batches of samples and of test rows, flattened, on the scale of their distance."""

import numpy as np
import torch
from torch import Tensor

from genbench.errors import NotApplicable
from genbench.evaluation.evidence import Evidence


def matched(evidence: Evidence, size: int) -> int:
    """`size`, or as many rows as both sides have: a test split, or samples that are given."""
    return min(evidence.at_most(size), len(evidence.data.test))


def scaled(evidence: Evidence, rows: Tensor, scale: str) -> Tensor:
    """Rows (N, ...) as they are, or points with each column over its std in the test split.

    `scale` is "raw", "standard", or "auto": standard for points of several columns whose
    distribution is not known. The axes of a toy share one unit; those of a table seldom do, and
    the column of the largest numbers would alone decide the distance.
    """
    if not scale_suffix(evidence, scale):
        return rows
    if evidence.data.kind != "points":
        raise NotApplicable("scale: standard is for points; pixels share one unit")
    std = evidence.once(
        ("test std",), lambda: evidence.reference("test").double().std(0, correction=0)
    )
    return rows.double() / torch.where(std > 0, std, 1.0)


def scale_suffix(evidence: Evidence, scale: str) -> str:
    """The scale's suffix in a protocol: `-standard`, or nothing."""
    data = evidence.data
    one_unit = data.truth is not None or data.shared_unit
    own_units = data.kind == "points" and data.shape[0] > 1 and not one_unit
    return "-standard" if scale == "standard" or (scale == "auto" and own_units) else ""


def batch_costs(
    evidence: Evidence, rows: Tensor, cost: str, scale: str = "raw"
) -> np.ndarray:
    """The costs (N, N) between rows and as many test rows, "euclidean" or its square.

    Points are on the scale `scale` (see `scaled`), images on [0, 1].
    """
    from scipy.spatial.distance import cdist

    x, y = (
        _flat(scaled(evidence, each, scale))
        for each in (rows, evidence.reference("test", len(rows)))
    )
    return cdist(x, y, "sqeuclidean" if cost == "squared_euclidean" else "euclidean")


def _flat(rows: Tensor) -> np.ndarray:
    flat = rows.flatten(1).double().numpy()
    return flat / 255 if rows.dim() == 4 else flat
