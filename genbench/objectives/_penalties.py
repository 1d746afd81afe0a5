"""What holds a critic's slope: weight clipping and the gradient penalty.

- clip: Martin Arjovsky, Soumith Chintala, Léon Bottou: Wasserstein GAN, 2017,
  https://arxiv.org/abs/1701.07875
- gradient: Ishaan Gulrajani, Faruk Ahmed, Martin Arjovsky, Vincent Dumoulin, Aaron Courville:
  Improved Training of Wasserstein GANs, 2017, https://arxiv.org/abs/1704.00028
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor

__all__ = ["clip_weights", "gradient_penalty", "interpolate", "slope_of"]


@torch.no_grad()
def clip_weights(parameters: Iterable[Tensor], bound: float) -> None:
    """Clamp every parameter to [−bound, bound], in place."""
    for parameter in parameters:
        parameter.clamp_(-bound, bound)


def interpolate(real: Tensor, fake: Tensor, share: Tensor) -> Tensor:
    """share·real + (1 − share)·fake: one share (B,) for a whole example (B, *shape)."""
    weight = share.to(real).reshape(-1, *[1] * (real.dim() - 1))  # (B, 1, …)
    return weight * real + (1 - weight) * fake


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
    return (slope.flatten(1).norm(dim=1) - 1).square().mean()
