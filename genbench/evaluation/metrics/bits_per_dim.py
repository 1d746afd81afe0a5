"""(NLL + D·ln levels) / (D·ln 2), for a density on the [0, 1] scale (Theis et al., 2016,
arXiv:1511.01844).
"""

from genbench.evaluation.base import Evidence, Metric
from genbench.evaluation.metrics._likelihood import bits_per_dim, finite_mean, rows_used


class BitsPerDim(Metric):
    """Bits per dimension of the test images, by the model's exact density."""

    cite = "theis2016note"
    values = {
        "bits_per_dim": {
            "better": "lower", "tolerance": "0.02885", "unit": "bits/dim", "title": "bits/dim",
        },
    }
    kinds = ("images",)
    needs = ("density",)

    def measure(self, evidence: Evidence, sample_set: int = 0) -> dict[str, float]:
        nll = finite_mean(-evidence.test_log_prob(), "test log likelihoods")
        return {"bits_per_dim": bits_per_dim(nll, evidence.data)}

    def protocol(self, evidence: Evidence) -> str:
        return rows_used(evidence)
