"""What holds a critic's slope: weight clipping and penalties on its gradient.

- clip: Martin Arjovsky, Soumith Chintala, Léon Bottou: Wasserstein GAN, 2017,
  https://arxiv.org/abs/1701.07875
- gradient: Ishaan Gulrajani, Faruk Ahmed, Martin Arjovsky, Vincent Dumoulin, Aaron Courville:
  Improved Training of Wasserstein GANs, 2017, https://arxiv.org/abs/1704.00028
- dragan: Naveen Kodali, Jacob Abernethy, James Hays, Zsolt Kira: On Convergence and Stability of
  GANs, 2017, https://arxiv.org/abs/1705.07215
- r1, and at samples r2: Lars Mescheder, Andreas Geiger, Sebastian Nowozin: Which Training Methods
  for GANs do actually Converge?, 2018, https://arxiv.org/abs/1801.04406
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor

from genbench.nets.precision import exact
from genbench.noise import Noise

__all__ = [
    "around_data", "clip_weights", "gradient_penalty", "interpolate", "penalty_points", "slope_of",
    "slope_penalty", "squared_slope",
]


SQUARED = {"data": "r1", "fakes": "r2", "interpolates": "squared_slope"}
"""The names of the zero-centred penalty by where its slope is taken."""


@torch.no_grad()
def clip_weights(parameters: Iterable[Tensor], bound: float) -> None:
    """Clamp every parameter to [−bound, bound], in place."""
    for parameter in parameters:
        parameter.clamp_(-bound, bound)


def interpolate(real: Tensor, fake: Tensor, share: Tensor) -> Tensor:
    """share·real + (1 − share)·fake: one share (B,) for a whole example (B, *shape)."""
    weight = share.to(real).reshape(-1, *[1] * (real.dim() - 1))  # (B, 1, …)
    return weight * real + (1 - weight) * fake


def around_data(real: Tensor, share: Tensor, offset: Tensor) -> Tensor:
    """Points between each example and a perturbed one: x + (1 − share)·½·std·offset.

    So the code of DRAGAN's authors has it; their paper has x + δ, δ ~ N(0, cI).

    real and offset, uniform on [0, 1), are (B, *shape), share (B,); the standard deviation is that
    of all the batch's values.
    """
    perturbed = real + 0.5 * real.std(correction=0) * offset
    return interpolate(real, perturbed, share)


def slope_of(critic: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """∇c (B, *shape) at examples x (B, *shape), differentiable in the critic's parameters.

    The critic must treat examples one by one: through batch norm the gradient of the summed scores
    is not the gradient of each.
    """
    x = x.detach().requires_grad_()
    with torch.enable_grad():
        (gradient,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    return gradient


def gradient_penalty(slope: Tensor) -> Tensor:
    """E (‖∇c‖₂ − 1)² of slopes ∇c (B, *shape), a scalar; two-sided, on the score itself."""
    return (exact(slope).flatten(1).norm(dim=1) - 1).square().mean()


def squared_slope(slope: Tensor) -> Tensor:
    """½ E ‖∇c‖₂² of slopes ∇c (B, *shape), a scalar: zero for a flat critic alone."""
    return exact(slope).flatten(1).square().sum(1).mean() / 2


def slope_penalty(
    kind: str, slope: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, noise: Noise,
    at: str | None = None,
) -> dict[str, Tensor]:
    """The penalty of that name, a scalar, by the name of its term; empty if it is not on slopes.

    `slope` gives ∇c at points (B, *shape); `at` says which: see `penalty_points`.
    """
    if kind == "r1":
        at = at or "data"
        return {SQUARED[at]: squared_slope(slope(penalty_points(at, real, fake, noise)))}
    if kind == "gradient":
        points = penalty_points(at or "interpolates", real, fake, noise)
    elif kind == "dragan":
        share = noise.uniform("interpolate", len(real))
        points = around_data(real, share, noise.uniform("offset", *real.shape).to(real))
    else:
        return {}
    return {"gradient_penalty": gradient_penalty(slope(points))}


def penalty_points(at: str, real: Tensor, fake: Tensor, noise: Noise) -> Tensor:
    """Where a slope is taken, (B, *shape): the "data", the "fakes", or "interpolates" of both."""
    if at == "interpolates":
        return interpolate(real, fake, noise.uniform("interpolate", len(real)))
    return real if at == "data" else fake
