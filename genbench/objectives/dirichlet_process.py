"""A Dirichlet process over a mixture's weights, cut at the number of components (Ishwaran, James,
2001, doi:10.1198/016214501750332758).

    −(1/N) Σ_{k<T} [ log v_k + α log(1 − v_k) + log α ]

Weights are pieces broken from a stick, v_k = w_k / (1 − Σ_{j<k} w_j) ~ Beta(1, α) (Sethuraman,
1994). The density is that of logit v_k, Jacobian and all, so that its maximum is finite.
"""

import math

import torch

from genbench.fields import Count, Positive
from genbench.models.base import Mixture
from genbench.objectives.base import Batch, Noise, Objective, Player, Terms


class DirichletProcess(Objective[Mixture]):
    """A prior that empties the components that the data do not need; add it to a likelihood."""

    cite = "ishwaran2001gibbs"

    concentration: Positive = 1.0
    """α: about α log(1 + N/α) components are expected for N data."""
    points: Count = 1000
    """N: the number of data in the likelihood; the smaller, the stronger the prior."""

    def players(self, model: Mixture) -> list[Player]:
        return [Player("model", {"weights": model.groups()["weights"]})]

    def loss(self, player: str, model: Mixture, batch: Batch, noise: Noise) -> Terms:
        log_weights = model.mixture_log_weights()
        # log of what is left of the stick: Σ_{j≥k} w_j, from the end, (T,)
        left = torch.logcumsumexp(log_weights.flip(0), 0).flip(0)
        log_v = log_weights[:-1] - left[:-1]
        log_rest = left[1:] - left[:-1]
        density = log_v + self.concentration * log_rest + math.log(self.concentration)
        return {"dirichlet_process": -density.sum() / self.points}
