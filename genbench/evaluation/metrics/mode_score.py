"""MODE score, in the two forms in use, and the distance of the label histograms.

    mode_score    = exp(E_x KL(p(y ∣ x) ‖ p*) − KL(p* ‖ p))
    mode_score_xu = exp(E_x KL(p(y ∣ x) ‖ p) − KL(p ‖ p*))

with p* the label distribution of the training data and p(y) the samples' mean posterior. The first
is Che et al.'s, 2017, arXiv:1612.02136, with the direction of KL in which it tends to 0 as a class
vanishes, the other Xu et al.'s, 2018, arXiv:1806.07755. Mixed forms reduce to the Inception Score.
The histograms are of the most probable labels.
"""

import numpy as np

from genbench.evaluation.base import Evidence, Metric
from genbench.evaluation.metrics._logits import (
    log_softmax_chunks,
    mean_posterior,
    relative_entropy,
)


def mean_divergence(logits: np.ndarray, q: np.ndarray) -> float:
    """E_x KL(p(y ∣ x) ‖ q) of logits (N, K) and q (K,), nats; infinite where q vanishes."""
    with np.errstate(divide="ignore"):
        log_q = np.log(q)
    total = 0.0
    for log_p in log_softmax_chunks(logits):
        p = np.exp(log_p).astype(np.float64)
        held = p > 0  # where p vanishes so does its term, be q what it may
        gap = np.subtract(log_p, log_q, where=held, out=np.zeros_like(p))
        total += float((p * gap).sum())
    return total / len(logits)


def mode_scores(logits: np.ndarray, shares: np.ndarray) -> tuple[float, float]:
    """(mode_score, mode_score_xu) of logits (N, K) and the training label shares (K,)."""
    p = mean_posterior(logits)
    thesis = np.exp(mean_divergence(logits, shares) - relative_entropy(shares, p))
    xu = np.exp(mean_divergence(logits, p) - relative_entropy(p, shares))
    return float(thesis), float(xu)


class ModeScore(Metric):
    """MODE score by the classifier, and the distance of the label histograms."""

    values = {
        "mode_score": {"better": "higher", "title": "MODE"},
        "mode_score_xu": {"better": "higher", "title": "MODE (Xu)"},
        "mode_kl_labels": {"better": "lower", "unit": "nats", "title": "KL of labels"},
        "mode_tv_labels": {"better": "lower", "tolerance": "0.02", "title": "TV of labels"},
    }
    kinds = ("images",)
    needs = ("labels",)
    sampled = True
    cite = "che2017mode"

    def measure(self, evidence: Evidence, sample_set: int = 0) -> dict[str, float]:
        """KL(samples ‖ data) and total variation of the label histograms beside the scores."""
        logits = evidence.logits("classifier", sample_set)
        shares = evidence.label_shares().numpy()
        thesis, xu = mode_scores(logits, shares)
        counts = np.bincount(logits.argmax(1), minlength=len(shares)) / len(logits)
        return {
            "mode_score": thesis,
            "mode_score_xu": xu,
            "mode_kl_labels": relative_entropy(counts, shares),
            "mode_tv_labels": float(np.abs(counts - shares).sum() / 2),
        }

    def protocol(self, evidence: Evidence) -> str:
        return evidence.label("classifier", "train-labels", evidence.count)
