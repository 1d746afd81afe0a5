"""E_q[log p(x, z) − log q(z ∣ x)] ≤ log p(x) (Kingma, Welling, 2014, arXiv:1312.6114). For a
diffusion model this is its variational bound.
"""

from genbench.evaluation.base import Evidence, Metric
from genbench.evaluation.metrics._likelihood import (
    bits_per_dim,
    finite_mean,
    limited,
    rows_used,
)
from genbench.fields import Natural


class NegElbo(Metric):
    """Negative ELBO: upper bound of the NLL, one latent draw for each test row."""

    values = {
        "neg_elbo": {
            "better": "lower", "tolerance": "0.02 per dimension", "unit": "nats",
            "title": "NLL ≤ (−ELBO)",
        },
        "bits_per_dim_elbo": {
            "better": "lower", "tolerance": "0.02885", "unit": "bits/dim",
            "title": "bits/dim ≤ (ELBO)",
        },
    }
    needs = ("bound",)
    cite = "kingma2014auto"

    points: Natural = 2000
    """Test rows, a fixed random choice; 0 takes all."""

    def measure(self, evidence: Evidence, sample_set: int = 0) -> dict[str, float]:
        weights = evidence.log_weights(1, limited(self.points, evidence))
        nll = finite_mean(-weights[0], "evidence lower bounds")
        values = {"neg_elbo": nll}
        if evidence.data.kind == "images":
            values["bits_per_dim_elbo"] = bits_per_dim(nll, evidence.data)
        return values

    def protocol(self, evidence: Evidence) -> str:
        return rows_used(evidence, self.points)
