"""With p the true density, q the model's and m = (p + q)/2, in nats:

    kl_data_model     KL(p ‖ q)   what maximum likelihood minimises
    kl_model_data     KL(q ‖ p)
    kl_model_mixture  KL(q ‖ m)   what the generator of a minimax GAN is trained by, at the optimal
                                  discriminator: E_q log(1 − D*) = KL(q ‖ m) − log 2
    js_density        ½ KL(p ‖ m) + ½ KL(q ‖ m), at most log 2 (Lin, 1991, doi:10.1109/18.61115)

Sums over a grid of 20,001 points of the line, or 401² of the plane; `divergences` estimates the
same from samples, without a density.
"""

from genbench.evaluation.base import Evidence, Metric
from genbench.evaluation.metrics._quadrature import density_grid


class DensityDivergences(Metric):
    """Divergences between the true density and the model's, by quadrature."""

    cite = "lin1991divergence"
    values = {
        "kl_data_model": {"better": "lower", "unit": "nats", "title": "KL(data ‖ model)"},
        "kl_model_data": {"better": "lower", "unit": "nats", "title": "KL(model ‖ data)"},
        "kl_model_mixture": {"better": "lower", "unit": "nats", "title": "KL(model ‖ mixture)"},
        "js_density": {"better": "lower", "unit": "nats", "title": "JS of densities, halved"},
    }
    kinds = ("points",)
    needs = ("density", "truth")

    def measure(self, evidence: Evidence, sample_set: int = 0) -> dict[str, float]:
        grid = density_grid(evidence)
        log_p, log_q, log_m = grid.log_p, grid.log_q, grid.log_m
        to_mixture = grid.integral(grid.q * (log_q - log_m))
        return {
            "kl_data_model": grid.integral(grid.p * (log_p - log_q)),
            "kl_model_data": grid.integral(grid.q * (log_q - log_p)),
            "kl_model_mixture": to_mixture,
            "js_density": (to_mixture + grid.integral(grid.p * (log_p - log_m))) / 2,
        }

    def protocol(self, evidence: Evidence) -> str:
        return "quadrature"
