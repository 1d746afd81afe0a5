"""Log densities and log probabilities for flows, decoders and diffusion models.

Pure functions of tensors, in nats, elementwise unless stated otherwise. The discretised logistic
is that of Kingma et al., "Improved Variational Inference with Inverse Autoregressive Flow", 2016,
https://arxiv.org/abs/1606.04934; the discretised Gaussian that of Ho, Jain, Abbeel, "Denoising
Diffusion Probabilistic Models", 2020, https://arxiv.org/abs/2006.11239, eq. 13.
"""

import math

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid, softplus

from genbench.noise import Noise

_LOG_2PI = math.log(2 * math.pi)
_TINY = 2.0**-24
"""Half the spacing of float32 below 1: keeps the logit of a uniform variable finite."""


def log_normal(x: Tensor, mean: Tensor | float = 0.0, std: Tensor | float = 1.0) -> Tensor:
    """log N(x; mean, std²), elementwise."""
    log_std = std.log() if isinstance(std, Tensor) else math.log(std)
    return -0.5 * ((x - mean) / std) ** 2 - log_std - 0.5 * _LOG_2PI


def base_log_prob(base: str, z: Tensor) -> Tensor:
    """Log density of z (…, D) under D independent "gaussian" or "logistic" variables, (…,)."""
    if base == "gaussian":
        return -0.5 * (z.square().sum(-1) + z.shape[-1] * _LOG_2PI)
    return -(z + 2 * softplus(-z)).sum(-1)


def base_sample(base: str, n: int, dims: int, noise: Noise) -> Tensor:
    """n samples (n, dims) of the standard "gaussian" or "logistic" base distribution, float32."""
    if base == "gaussian":
        return noise.normal("z", n, dims)
    u = noise.uniform("z", n, dims).double().clamp(_TINY, 1 - _TINY)
    return torch.logit(u).float()


def discretised_logistic(
    x: Tensor, mean: Tensor, log_scale: Tensor, levels: int, low: float, high: float,
) -> Tensor:
    """Log probability of the quantised values x under a discretised logistic, elementwise.

    The `levels` values are evenly spaced from `low` to `high`; the lowest and the highest include
    the tails, so that the probabilities of all levels sum to 1. With a, b the standardised edges
    above and below x, log(σ(a) − σ(b)) = log σ(a) + log σ(−b) + log(1 − e^(b − a)), without
    cancellation.
    """
    half = 0.5 * (high - low) / (levels - 1)
    inverse = torch.exp(-log_scale)
    above = (x - mean + half) * inverse
    below = (x - mean - half) * inverse
    inside = (
        logsigmoid(above) + logsigmoid(-below) + torch.log(-torch.expm1(-2 * half * inverse))
    )
    outside = torch.where(x < low + half, logsigmoid(above), logsigmoid(-below))
    return torch.where((x < low + half) | (x > high - half), outside, inside)


def discretised_gaussian(
    x: Tensor, mean: Tensor, std: Tensor, levels: int, low: float, high: float,
) -> Tensor:
    """Log probability of the quantised values x under a discretised Gaussian, elementwise.

    As `discretised_logistic`; edges are mirrored to the lower tail, where log Φ is accurate.
    """
    half = 0.5 * (high - low) / (levels - 1)
    above = (x - mean + half) / std
    below = (x - mean - half) / std
    flip = above + below > 0
    upper = torch.special.log_ndtr(torch.where(flip, -below, above))
    lower = torch.special.log_ndtr(torch.where(flip, -above, below))
    inside = upper + torch.log(-torch.expm1((lower - upper).clamp(max=-1e-12)))
    outside = torch.special.log_ndtr(torch.where(x < low + half, above, -below))
    return torch.where((x < low + half) | (x > high - half), outside, inside)
