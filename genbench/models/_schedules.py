"""Noise schedules of diffusion: β_t and what follows from it, in float64.

`linear` is that of Ho, Jain, Abbeel, 2020, https://arxiv.org/abs/2006.11239 (10⁻⁴ to 0.02 over
1000 steps), its rates multiplied by 1000/steps so that the total noise stays; `cosine` that of
Nichol, Dhariwal, "Improved Denoising Diffusion Probabilistic Models", 2021,
https://arxiv.org/abs/2102.09672, eq. 17.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

_LARGEST = 0.999
"""β at most: with 1 the data would be gone, and the reverse step would divide by zero."""


@dataclass(frozen=True)
class Schedule:
    """Coefficients of steps 0 … steps−1, each (steps,) float64.

    x_t = √ᾱ_t x₀ + √(1 − ᾱ_t) ε; q(x_{t−1} ∣ x_t, x₀) is a Gaussian with mean
    posterior_coef_xt·x_t + posterior_coef_x0·x₀ and standard deviation posterior_std = √β̃_t,
    where at t = 0 the "x_{t−1}" is x₀ itself.
    """

    beta: Tensor
    sqrt_alpha_bar: Tensor
    sqrt_one_minus_alpha_bar: Tensor
    posterior_coef_xt: Tensor
    posterior_coef_x0: Tensor
    posterior_std: Tensor


def schedule(name: str, steps: int) -> Schedule:
    """The schedule "linear" or "cosine" with that many steps."""
    if name == "linear":
        beta = torch.linspace(1e-4, 0.02, steps, dtype=torch.float64) * (1000 / steps)
    else:
        time = torch.arange(steps + 1, dtype=torch.float64) / steps
        f = torch.cos((time + 0.008) / 1.008 * math.pi / 2).square()
        beta = 1 - f[1:] / f[:-1]
    beta = beta.clamp(max=_LARGEST)
    alpha_bar = torch.cumprod(1 - beta, 0)
    previous = torch.cat([torch.ones(1, dtype=torch.float64), alpha_bar[:-1]])  # ᾱ_{t−1}
    return Schedule(
        beta=beta,
        sqrt_alpha_bar=alpha_bar.sqrt(),
        sqrt_one_minus_alpha_bar=(1 - alpha_bar).sqrt(),
        posterior_coef_xt=(1 - beta).sqrt() * (1 - previous) / (1 - alpha_bar),
        posterior_coef_x0=previous.sqrt() * beta / (1 - alpha_bar),
        posterior_std=(beta * (1 - previous) / (1 - alpha_bar)).sqrt(),
    )
