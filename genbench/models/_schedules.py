"""Noise schedules of diffusion: β_t and what follows from it, in float64.

`linear` is that of Ho, Jain, Abbeel, 2020, https://arxiv.org/abs/2006.11239 (10⁻⁴ to 0.02 over
1000 steps), its rates multiplied by 1000/steps so that the total noise stays; `cosine` that of
Nichol, Dhariwal, "Improved Denoising Diffusion Probabilistic Models", 2021,
https://arxiv.org/abs/2102.09672, eq. 17.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["Schedule", "schedule"]

_LARGEST = 0.999
"""No step may destroy its datum entirely, or the step back would divide by zero."""


@dataclass(frozen=True)
class Schedule:
    """Coefficients of steps 0 … steps−1, each (steps,) float64.

    x_t = signal·x₀ + noise·ε; q(x_{t−1} ∣ x_t, x₀) = N(keep·x_t + pull·x₀, posterior²), where at
    t = 0 the "x_{t−1}" is x₀ itself.
    """

    beta: Tensor
    signal: Tensor
    noise: Tensor
    keep: Tensor
    pull: Tensor
    posterior: Tensor


def schedule(name: str, steps: int) -> Schedule:
    """The schedule "linear" or "cosine" with that many steps."""
    if name == "linear":
        beta = torch.linspace(1e-4, 0.02, steps, dtype=torch.float64) * (1000 / steps)
    else:
        time = torch.arange(steps + 1, dtype=torch.float64) / steps
        level = torch.cos((time + 0.008) / 1.008 * math.pi / 2).square()
        beta = 1 - level[1:] / level[:-1]
    beta = beta.clamp(max=_LARGEST)
    kept = torch.cumprod(1 - beta, 0)  # ᾱ_t
    before = torch.cat([torch.ones(1, dtype=torch.float64), kept[:-1]])  # ᾱ_{t−1}
    return Schedule(
        beta=beta,
        signal=kept.sqrt(),
        noise=(1 - kept).sqrt(),
        keep=(1 - beta).sqrt() * (1 - before) / (1 - kept),
        pull=before.sqrt() * beta / (1 - kept),
        posterior=(beta * (1 - before) / (1 - kept)).sqrt(),
    )
