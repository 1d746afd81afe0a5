"""Entropic regularisation of a mixture's weights: the distance of the uniform from them, nats.

    −(1/T) Σ_c log p(c) = log T + KL(uniform ‖ p) ≥ log T

Arora et al., 2017, arXiv:1703.00573; for mixtures of flows, Gong's thesis, 2017, section 4.2.3.
"""

from genbench.models.base import Mixture
from genbench.objectives.base import Batch, Noise, Objective, Player, Terms


class Entropic(Objective[Mixture]):
    """Keeps a mixture's components in use: smallest, log T, where all weigh the same."""

    cite = "arora2017generalization"

    def players(self, model: Mixture) -> list[Player]:
        return [Player("model", {"weights": model.groups()["weights"]})]

    def loss(self, player: str, model: Mixture, batch: Batch, noise: Noise) -> Terms:
        return {"entropic": -model.mixture_log_weights().mean()}
