"""Observation models p(x ∣ z) of a VAE: the distributions that its decoder network parametrises.

Each takes the network's outputs (…, features) and flattened data x (B, D) on the scaled range, and
sums its log density or log probability over the D dimensions. `spread` is how its scale is given:
one learned number for each dimension, predicted from z, or a constant.
"""

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import logsigmoid

from genbench.data.space import Space
from genbench.errors import GenbenchError
from genbench.nets.densities import discretised_logistic, log_normal
from genbench.noise import Noise

Scale = Literal["learned", "predicted", "fixed"]
_LOG_SCALE_RANGE = (-7.0, 3.0)
"""Bounds of a learned log-scale; on a constant pixel it would diverge to −∞."""


class _LocationScale(nn.Module):
    """A mean and a log-scale for each dimension."""

    def __init__(self, space: Space, spread: Scale, scale: float) -> None:
        super().__init__()
        self.dims, self.spread = space.dims, spread
        self.features = 2 * space.dims if spread == "predicted" else space.dims
        initial = torch.full((space.dims,), math.log(scale))
        self.log_scale = nn.Parameter(initial, requires_grad=spread != "fixed")

    def parameters_of(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Means (…, D) and log-scales, (…, D) or (D,)."""
        if self.spread == "predicted":
            mean, offset = features.chunk(2, dim=-1)
            return mean, (self.log_scale + offset).clamp(*_LOG_SCALE_RANGE)
        return features, self.log_scale.clamp(*_LOG_SCALE_RANGE)


class GaussianDecoder(_LocationScale):
    """A diagonal Gaussian."""

    discrete = False

    def log_prob(self, x: Tensor, features: Tensor) -> Tensor:
        """Log density of x (B, D), nats, (…, B)."""
        mean, log_scale = self.parameters_of(features)
        return log_normal(x, mean, log_scale.exp()).sum(-1)

    def mean(self, features: Tensor) -> Tensor:
        """The mean, (…, D)."""
        return self.parameters_of(features)[0]

    def draw(self, features: Tensor, noise: Noise) -> Tensor:
        """A reparametrised sample, (n, D)."""
        mean, log_scale = self.parameters_of(features)
        return mean + log_scale.exp() * noise.normal("x", *mean.shape).to(mean)


class LogisticDecoder(_LocationScale):
    """Independent discretised logistics: a probability of quantised images."""

    discrete = True

    def __init__(self, space: Space, spread: Scale, scale: float) -> None:
        low, high = _bounds(space, "discretised_logistic")
        super().__init__(space, spread, scale * (high - low))
        assert space.levels is not None
        self.low, self.high, self.levels = low, high, space.levels

    def _centred(self, features: Tensor) -> tuple[Tensor, Tensor]:
        mean, log_scale = self.parameters_of(features)
        return mean + 0.5 * (self.low + self.high), log_scale

    def log_prob(self, x: Tensor, features: Tensor) -> Tensor:
        """Log probability of x (B, D), nats, (…, B)."""
        mean, log_scale = self._centred(features)
        terms = discretised_logistic(x, mean, log_scale, self.levels, self.low, self.high)
        return terms.sum(-1)

    def mean(self, features: Tensor) -> Tensor:
        """The location, clamped to the range, (…, D)."""
        return self._centred(features)[0].clamp(self.low, self.high)

    def draw(self, features: Tensor, noise: Noise) -> Tensor:
        """A sample of grey levels, (n, D), with a straight-through gradient of the rounding."""
        mean, log_scale = self._centred(features)
        u = noise.uniform("x", *mean.shape).clamp(1e-6, 1 - 1e-6).to(mean)
        x = (mean + log_scale.exp() * torch.logit(u)).clamp(self.low, self.high)
        step = (self.high - self.low) / (self.levels - 1)
        rounded = self.low + step * ((x - self.low) / step).round()
        return x + (rounded - x).detach()


class BernoulliDecoder(nn.Module):
    """Independent Bernoulli pixels; on grey images a cross-entropy, not a likelihood."""

    def __init__(self, space: Space) -> None:
        super().__init__()
        self.low, self.high = _bounds(space, "bernoulli")
        self.features = space.dims
        self.discrete = space.levels == 2

    def log_prob(self, x: Tensor, features: Tensor) -> Tensor:
        """Log probability of x (B, D), nats, (…, B)."""
        unit = (x - self.low) / (self.high - self.low)
        return (unit * logsigmoid(features) + (1 - unit) * logsigmoid(-features)).sum(-1)

    def mean(self, features: Tensor) -> Tensor:
        """The mean on the scaled range, (…, D)."""
        return self.low + (self.high - self.low) * torch.sigmoid(features)

    def draw(self, features: Tensor, noise: Noise) -> Tensor:
        """A binary sample, (n, D), with the straight-through gradient of the mean."""
        p = torch.sigmoid(features)
        x = (noise.uniform("x", *p.shape).to(p) < p).to(p)
        return self.low + (self.high - self.low) * (p + (x - p).detach())


Decoder = GaussianDecoder | LogisticDecoder | BernoulliDecoder


def decoder_for(name: str, space: Space, spread: Scale, scale: float) -> Decoder:
    """The decoder of that name for data of this space; "auto" is one that is a likelihood.

    Raises:
        GenbenchError: a decoder for images on points, or one for grey levels on data without.
    """
    if name == "auto":
        quantised = space.kind == "images" and not space.dequantised and space.low is not None
        name = "gaussian" if not quantised else "discretised_logistic"
        if quantised and space.levels == 2:
            name = "bernoulli"
    if name == "gaussian":
        return GaussianDecoder(space, spread, scale)
    if name == "bernoulli":
        return BernoulliDecoder(space)
    return LogisticDecoder(space, spread, scale)


def _bounds(space: Space, name: str) -> tuple[float, float]:
    if space.low is None or space.high is None:
        raise GenbenchError(f"vae.decoder: '{name}' needs bounded images; use scale: symmetric")
    if name == "discretised_logistic" and (space.levels is None or space.dequantised):
        raise GenbenchError(
            f"vae.decoder: '{name}' needs grey levels, the data are dequantised; use "
            "dequantise: false, or decoder: gaussian"
        )
    return space.low, space.high
