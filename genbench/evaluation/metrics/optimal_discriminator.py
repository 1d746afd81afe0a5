"""For a fixed generator of density q, the best discriminator of data of density p is
D* = p / (p + q), where the game's value E_p log D + E_q log(1 − D) is 2 JS(p, q) − log 4
(Goodfellow et al., 2014, arXiv:1406.2661, proposition 1 and theorem 1).

The trained discriminator is held against it on a grid (see `density_divergences`): how far it is
from D*, and the value that it reaches, which no discriminator can bring above that of D*.
"""

import torch
from torch.nn.functional import logsigmoid

from genbench.evaluation.base import Evidence, Metric
from genbench.evaluation.critic import discriminator
from genbench.evaluation.metrics._quadrature import density_grid


class OptimalDiscriminator(Metric):
    """How far the trained discriminator is from the optimal one, and the value of its game."""

    cite = "goodfellow2014generative"
    values = {
        "discriminator_error": {"better": "none", "title": "mean |D − D*|"},
        "game_value": {"better": "none", "unit": "nats", "title": "value of the game"},
    }
    kinds = ("points",)
    needs = ("critic", "density", "truth")

    def measure(self, evidence: Evidence, sample_set: int = 0) -> dict[str, float]:
        critic = discriminator(evidence.critic)
        grid = density_grid(evidence)
        score = critic.at(grid.points, evidence.scaling, evidence.device).double()
        best = torch.sigmoid(grid.log_p - grid.log_q)
        value = grid.p * logsigmoid(score) + grid.q * logsigmoid(-score)
        off = (torch.sigmoid(score) - best).abs() * (grid.p + grid.q) / 2
        return {"discriminator_error": grid.integral(off), "game_value": grid.integral(value)}

    def protocol(self, evidence: Evidence) -> str:
        return "quadrature"
