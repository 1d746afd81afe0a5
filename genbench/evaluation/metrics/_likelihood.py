"""Shared by the likelihood metrics: finite means, units, importance-weighted bounds."""

import math

import torch
from torch import Tensor

from genbench.data.base import Data
from genbench.errors import NotFinite
from genbench.evaluation.evidence import Evidence, count_name


def finite_mean(values: Tensor, what: str) -> float:
    """The mean of values (N,).

    Raises:
        NotFinite: some are NaN or infinite; says how many of each.
    """
    nan, infinite = int(torch.isnan(values).sum()), int(torch.isinf(values).sum())
    if nan or infinite:
        raise NotFinite(f"{nan} NaN and {infinite} infinite among {len(values)} {what}")
    return float(values.double().mean())


def bits_per_dim(nll: float, data: Data) -> float:
    """NLL in nats (in the stored unit) as bits per dimension of the quantised image.

    (NLL + D·ln levels) / (D·ln 2); binary images' NLL is that of the image already.
    """
    dims = math.prod(data.shape)
    levels = data.levels or 256
    offset = dims * math.log(levels) if levels > 2 else 0.0
    return (nll + offset) / (dims * math.log(2))


def importance_bound(log_weights: Tensor) -> Tensor:
    """Log-mean-exp over k of log weights (k, N): the importance-weighted bound, (N,)."""
    return torch.logsumexp(log_weights, 0) - math.log(len(log_weights))


def limited(points: int, evidence: Evidence) -> int:
    """How many test rows `points` (0: all) comes to."""
    total = len(evidence.data.test)
    return min(points, total) if points else total


def rows_used(evidence: Evidence, points: int = 0) -> str:
    """`test-10k`: the split and the number of its rows that are used."""
    return f"test-{count_name(limited(points, evidence))}"
