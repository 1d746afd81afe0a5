"""exp(E_x KL(p(y ∣ x) ‖ p(y))), the mean over 10 splits (Salimans et al., 2016, arXiv:1606.03498).

Rows are shuffled by torch-fidelity's fixed permutation; the standard deviation over splits is a
separate column, and not the spread over seeds. Between 1 and the number of classes.
"""

import numpy as np

from genbench.evaluation.base import Evidence, Metric, NotApplicable
from genbench.evaluation.metrics._logits import log_softmax_chunks
from genbench.fields import Count, Literal

_SHUFFLE = 2020


def inception_score(logits: np.ndarray, splits: int = 10) -> tuple[float, float]:
    """Mean and standard deviation (N) over splits of exp(E KL(p(y ∣ x) ‖ p(y))).

    `logits` is (N, K) float32; sums are float64.
    """
    n = len(logits)
    order = np.random.RandomState(_SHUFFLE).permutation(n)
    scores = []
    for i in range(splits):
        rows = order[i * n // splits:(i + 1) * n // splits]
        negative_entropy, marginal = 0.0, np.zeros(logits.shape[1])
        for log_p in log_softmax_chunks(logits, rows):
            p = np.exp(log_p)
            negative_entropy += float(np.einsum("nk,nk->n", p, log_p).sum(dtype=np.float64))
            marginal += p.sum(0, dtype=np.float64)
        marginal /= len(rows)
        # E KL(p ‖ q) = E Σ p log p − Σ q log q, as the mean of p is q
        held = marginal > 0
        cross = float((marginal[held] * np.log(marginal[held])).sum())
        scores.append(np.exp(negative_entropy / len(rows) - cross))
    return float(np.mean(scores)), float(np.std(scores))


class InceptionScore(Metric):
    """Inception Score of the samples."""

    values = {
        "is": {"better": "higher", "title": "IS"},
        "is_split_std": {"better": "none", "title": "IS, std of splits"},
    }
    kinds = ("images",)
    sampled = True
    cite = "salimans2016improved"

    extractor: Literal["auto", "classifier", "inception"] = "auto"
    """The network whose logits are used; auto takes the classifier for labelled grey images."""
    splits: Count = 10
    """Parts whose scores are averaged."""

    def measure(self, evidence: Evidence, sample_set: int = 0) -> dict[str, float]:
        if evidence.count < self.splits:
            raise NotApplicable(f"{evidence.count} samples are fewer than {self.splits} splits")
        logits = evidence.logits(self.extractor, sample_set)
        mean, std = inception_score(logits, self.splits)
        return {"is": mean, "is_split_std": std}

    def protocol(self, evidence: Evidence) -> str:
        return f"{evidence.label(self.extractor, '', evidence.count)}-{self.splits}splits"
