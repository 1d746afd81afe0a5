"""The mean of log p_true(x) − log p_model(x) over the test points: an estimate of KL(p_true ‖
p_model) in nats on the same points, far less noisy than a difference of two NLLs.
"""

from genbench.evaluation.base import Evidence, Metric, NotApplicable
from genbench.evaluation.metrics._likelihood import finite_mean, rows_used


class NllGap(Metric):
    """Paired gap to the true density (an estimate of KL), beside the true entropy."""

    values = {
        "nll_gap": {
            "better": "lower", "tolerance": "0.02 per dimension", "unit": "nats",
            "title": "NLL gap",
        },
        "true_entropy": {"better": "none", "unit": "nats", "title": "true entropy"},
    }
    kinds = ("points",)
    needs = ("truth", "density")

    def measure(self, evidence: Evidence, sample_set: int = 0) -> dict[str, float]:
        truth = evidence.data.truth
        if truth is None:
            raise NotApplicable("the density of the data is not known")
        gap = evidence.truth_log_prob() - evidence.test_log_prob()
        return {
            "nll_gap": finite_mean(gap, "differences of log density"),
            "true_entropy": float(truth.entropy()),
        }

    def protocol(self, evidence: Evidence) -> str:
        return rows_used(evidence)
