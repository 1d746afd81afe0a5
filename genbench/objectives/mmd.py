"""Training by the maximum mean discrepancy (Dziugaite et al., 2015, arXiv:1505.03906); no critic.

    min_G  MMD²(p_data, p_G),  k = a mean of Gaussian kernels
"""

import torch

from genbench.fields import Annotated, Field, Positive
from genbench.objectives._distances import mmd_squared
from genbench.objectives.base import Batch, Draw, Model, Noise, Objective, Terms, samples_like


class MMD(Objective):
    """Minimises the unbiased MMD² between a batch and as many samples."""

    ignores_labels = True
    refuses = (
        ({"batch": 1}, "distances within a batch need two examples at least"),
    )
    cite = "dziugaite2015training"
    version = 2

    widths: Annotated[list[Positive], Field(min_length=1)] = [0.01, 0.05, 0.2, 1.0]
    """Variances of the kernels, as parts of the total variance of data and samples together."""

    def prepare(self, model: Model, draw: Draw, noise: Noise) -> None:
        self.initialise(model, draw, noise)

    def loss(self, player: str, model: Model, batch: Batch, noise: Noise) -> Terms:
        x = batch.x.flatten(1)
        y = samples_like(batch, model, noise).flatten(1)
        total = torch.cat((x, y.detach())).var(0, correction=0).sum().clamp(min=1e-12)
        return {"mmd": mmd_squared(x, y, total * x.new_tensor(self.widths))}
