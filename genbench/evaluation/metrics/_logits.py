"""Shared by metrics of class logits."""

from collections.abc import Iterator

import numpy as np

_CHUNK = 1000


def log_softmax_chunks(logits: np.ndarray, rows: np.ndarray | None = None) -> Iterator[np.ndarray]:
    """Log-softmax of logits (N, K) by chunks of rows, float32; all of them by default."""
    total = len(logits) if rows is None else len(rows)
    for first in range(0, total, _CHUNK):
        part = slice(first, first + _CHUNK)
        chunk = logits[part] if rows is None else logits[rows[part]]
        chunk = chunk - chunk.max(1, keepdims=True)
        chunk -= np.log(np.exp(chunk).sum(1, keepdims=True))
        yield chunk


def mean_posterior(logits: np.ndarray) -> np.ndarray:
    """The mean of p(y ∣ x) over rows of logits (N, K), (K,) float64."""
    total = np.zeros(logits.shape[1])
    for log_p in log_softmax_chunks(logits):
        total += np.exp(log_p).sum(0, dtype=np.float64)
    return total / len(logits)


def relative_entropy(p: np.ndarray, q: np.ndarray) -> float:
    """KL(p ‖ q) in nats of two distributions (K,); infinite where q vanishes and p does not."""
    held = p > 0
    if np.any(q[held] == 0):
        return float("inf")
    return float((p[held] * np.log(p[held] / q[held])).sum())
