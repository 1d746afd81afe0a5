"""Unit: nats per example on the raw scale of points and the [0, 1] scale of images (Theis et al.,
2016, arXiv:1511.01844); of binary images, the log probability.
"""

from genbench.evaluation.base import Evidence, Metric
from genbench.evaluation.metrics._likelihood import finite_mean, rows_used


class Nll(Metric):
    """Mean of −log p(x) over the test split, by the model's exact density."""

    cite = "theis2016note"
    values = {
        "nll": {
            "better": "lower", "tolerance": "0.02 per dimension", "unit": "nats", "title": "NLL",
        },
    }
    needs = ("density",)

    def measure(self, evidence: Evidence, sample_set: int = 0) -> dict[str, float]:
        return {"nll": finite_mean(-evidence.test_log_prob(), "test log likelihoods")}

    def protocol(self, evidence: Evidence) -> str:
        return rows_used(evidence)
