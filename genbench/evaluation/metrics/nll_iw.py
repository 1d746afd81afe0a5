"""−log (1/k) Σ w_i with w_i = p(x, z_i) / q(z_i ∣ x): an upper bound of the NLL that tightens with
k (Burda et al., 2016, arXiv:1509.00519). Cost: k weights for every test row; of a diffusion model,
one weight of which takes all diffusion steps, use `neg_elbo`.
"""

from genbench.evaluation.base import Evidence, Metric
from genbench.evaluation.metrics._likelihood import (
    bits_per_dim,
    finite_mean,
    importance_bound,
    limited,
    rows_used,
)
from genbench.fields import Count, Natural


class NllIw(Metric):
    """Upper bound of the NLL by k importance weights of each test row."""

    values = {
        "nll_iw_k{k}": {
            "better": "lower", "tolerance": "0.02 per dimension", "unit": "nats",
            "title": "NLL ≤ (IW, k = {k})",
        },
        "bits_per_dim_iw_k{k}": {
            "better": "lower", "tolerance": "0.02885", "unit": "bits/dim",
            "title": "bits/dim ≤ (IW, k = {k})",
        },
    }
    needs = ("bound", "encoder")
    expensive = (
        ({"k": 1000},
         "{k:,} passes of the model for each test row, points = {points}"),
    )
    cite = "burda2016importance"

    k: Count = 5000
    """Importance weights of each test row."""
    points: Natural = 500
    """Test rows, a fixed random choice; 0 takes all."""

    def measure(self, evidence: Evidence, sample_set: int = 0) -> dict[str, float]:
        weights = evidence.log_weights(self.k, limited(self.points, evidence))
        nll = finite_mean(-importance_bound(weights), "importance-weighted bounds")
        values = {f"nll_iw_k{self.k}": nll}
        if evidence.data.kind == "images":
            values[f"bits_per_dim_iw_k{self.k}"] = bits_per_dim(nll, evidence.data)
        return values

    def protocol(self, evidence: Evidence) -> str:
        return rows_used(evidence, self.points)
