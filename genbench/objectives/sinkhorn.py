"""Training through entropic optimal transport (Genevay et al., 2018, arXiv:1706.00292). With C_ij
the cost between x_i and y_j and uniform weights,

    P = argmin ⟨P, C⟩ − ε H(P)   by Sinkhorn's iterations, in the log domain
    S(x, y) = ⟨P, C⟩ or the minimum itself;   debiased  S(x, y) − ½ S(x, x) − ½ S(y, y)

differentiated through every iteration, or by the envelope theorem. The sampled component of a
mixture carries no gradient, so its weights are not trained here.
"""

import math

import torch
from torch import Tensor

from genbench.fields import Count, Literal, Positive
from genbench.objectives._distances import squared_distances
from genbench.objectives.base import Batch, Draw, Model, Noise, Objective, Terms, samples_like


def transport_cost(
    x: Tensor, y: Tensor, epsilon: float, iterations: int, cost: str = "squared_euclidean",
    *, value: str = "sharp", gradient: str = "unrolled",
) -> Tensor:
    """Entropic transport between x (N, …) and y (M, …), each row of weight 1/N or 1/M.

    value "sharp": ⟨P, C⟩ of the entropic plan; as ε → 0 the cost of the best assignment, as ε → ∞
    the mean cost of all pairs. "regularised": the minimum itself, ⟨P, C⟩ + ε KL(P ‖ 1/NM).

    Differentiable in both sets: through every iteration ("unrolled"), or, of the regularised value
    alone, by the "envelope" theorem, as ⟨P, ∂C⟩. They agree where the iterations have converged.
    """
    a, b = x.flatten(1), y.flatten(1)
    square = (a[:, None] - b).square().sum(2) if a.shape[1] <= 8 else squared_distances(a, b)
    costs = square if cost == "squared_euclidean" else (square + 1e-12).sqrt()
    with torch.set_grad_enabled(gradient == "unrolled" and torch.is_grad_enabled()):
        log_k = -costs / epsilon  # (N, M)
        log_n, log_m = math.log(len(a)), math.log(len(b))
        f = x.new_zeros(len(a))
        g = x.new_zeros(len(b))
        for _ in range(iterations):
            f = -torch.logsumexp(log_k + g, dim=1) - log_n
            g = -torch.logsumexp(log_k + f[:, None], dim=0) - log_m
        plan = (log_k + f[:, None] + g).exp()
        least = epsilon * (f.mean() + g.mean() + log_n + log_m)
    if value == "sharp":
        return (plan * costs).sum()
    if gradient == "unrolled":
        return least
    linear = (plan * costs).sum()
    return least + linear - linear.detach()


class Sinkhorn(Objective):
    """Minimises a Sinkhorn divergence between data and samples; needs no critic and no density."""

    ignores_labels = True
    cite = "genevay2018learning"
    version = 2
    changed = {2: {"data": "images"}}
    refuses = (
        ({"gradient": "envelope", "value": "sharp"},
         "the envelope theorem is for the minimum itself; use value: regularised"),
    )

    epsilon: Positive = 0.05
    """ε of the entropy, as a part of the mean squared distance between the batch's examples, or of
    its root with cost: euclidean."""
    iterations: Count = 30
    """Iterations of both marginals."""
    value: Literal["sharp", "regularised"] = "sharp"
    """What is minimised: the cost of the entropic plan alone, or with its entropy."""
    gradient: Literal["unrolled", "envelope"] = "unrolled"
    """Whether the gradient goes through every iteration, or is that of the cost under the final
    plan, which is exact for the regularised value where the iterations have converged."""
    cost: Literal["squared_euclidean", "euclidean"] = "squared_euclidean"
    """The ground cost on the scaled data."""
    debias: bool = True
    """Whether the costs of each side with itself are taken off, without which samples shrink
    towards the mean; the thesis's form is without."""

    def prepare(self, model: Model, draw: Draw, noise: Noise) -> None:
        self.initialise(model, draw, noise)

    def loss(self, player: str, model: Model, batch: Batch, noise: Noise) -> Terms:
        x = batch.x
        y = samples_like(batch, model, noise)
        squares = 2 * x.flatten(1).var(0, correction=0).sum()
        scale = squares if self.cost == "squared_euclidean" else squares.sqrt()
        epsilon = self.epsilon * float(scale.detach().clamp(min=1e-12))
        value = self._cost(x, y, epsilon)
        if self.debias:
            value = value - 0.5 * (self._cost(x, x, epsilon) + self._cost(y, y, epsilon))
        return {"sinkhorn": value}

    def _cost(self, x: Tensor, y: Tensor, epsilon: float) -> Tensor:
        return transport_cost(
            x, y, epsilon, self.iterations, self.cost, value=self.value, gradient=self.gradient
        )
