"""The importance-weighted bound (Burda et al., 2016, arXiv:1509.00519).

    L_k = E [ log (1/k) Σ_i p(x, z_i) / q(z_i ∣ x) ] ≤ log p(x),   L_1 = ELBO, L_k ≤ L_{k+1}
"""

import math

import torch

from genbench.fields import Count
from genbench.models.base import Bound, conditioning
from genbench.objectives.base import Batch, Noise, Objective, Terms


class ImportanceWeighted(Objective[Bound]):
    """Maximises the k-sample bound. Cost: k decodings of every example."""

    cite = "burda2016importance"

    k: Count = 5
    """Latents drawn for each example; 1 is the ELBO."""

    def loss(self, player: str, model: Bound, batch: Batch, noise: Noise) -> Terms:
        context = conditioning(model, batch.labels)
        log_weights = model.log_weights(batch.x, noise, self.k, **context)  # (k, B)
        bound = torch.logsumexp(log_weights, dim=0) - math.log(self.k)
        return {"neg_iw_bound": -bound.mean()}
