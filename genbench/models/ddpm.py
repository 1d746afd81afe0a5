"""Denoising diffusion in discrete time (Ho et al., 2020, arXiv:2006.11239). With ᾱ_t = Π (1 −
β_s):

    q(x_t ∣ x₀) = N(√ᾱ_t x₀, (1 − ᾱ_t) I)
    p(x_{t−1} ∣ x_t) = N(μ(x_t, x̂₀), σ_t² I),   x̂₀ = (x_t − √(1 − ᾱ_t) ε̂(x_t, t)) / √ᾱ_t
    log p(x₀) ≥ E_q [ log p(x_T) + Σ_t log p(x_{t−1} ∣ x_t) − log q(x_{1:T} ∣ x₀) ]

Steps count from 0 here: x_t after step t is the paper's x_{t+1}. With learned variances (Nichol,
Dhariwal, 2021, arXiv:2102.09672, eq. 15) the network also says v for every dimension:

    σ_t² = exp(v log β_t + (1 − v) log β̃_t)

At the last reverse step, whose β̃ is 0, half a grey level stands for it (the paper: β̃ of the step
before), so that a pixel that is certain costs next to nothing even with few steps.
What such models grew into: `genbench docs pointers`.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from genbench.fields import Count, Literal, Widths
from genbench.models.base import Model, Noise, Space
from genbench.nets.densities import discretised_gaussian, log_normal
from genbench.nets.embedding import StepMLP
from genbench.nets.unet import UNet

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
    """The schedule "linear" or "cosine" with that many steps.

    `linear` is Ho's (10⁻⁴ to 0.02 over 1000 steps), its rates multiplied by 1000/steps so that the
    total noise stays; `cosine` that of Nichol, Dhariwal, eq. 17.
    """
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


class DDPM(Model):
    """A chain that turns noise into data by small denoising steps; it predicts the noise.

    Cost: a sample, and a bound, take `steps` passes through the network. Bound: k = 1 is the
    variational bound, one pass along a noised path.
    """

    expensive = (
        ({"data": "images", "steps": 100, "samples": 1000},
         "{steps:,} passes of its network for each of up to {samples:,} samples, {sets} times"),
        ({"data": "points", "steps": 500, "samples": 5000},
         "{steps:,} passes of its network for each of up to {samples:,} samples, {sets} times"),
    )
    cite = "ho2020denoising"
    refuses = (
        ({"network": "unet", "data": "points"}, "network: unet is for images; use mlp"),
    )

    steps: Count = 1000
    """Steps of the chain."""
    schedule: Literal["cosine", "linear"] = "linear"
    """How fast noise comes in; `linear` is the paper's, `cosine` wastes fewer steps on noise."""
    variance: Literal["large", "small", "learned"] = "small"
    """Variance of a reverse step: β_t, or the posterior's β̃_t; the best lies between, and
    `learned` lets the network predict it. Fixed ones cost some bits on every pixel if steps are
    few."""
    clip: bool = True
    """Whether the predicted x₀ is clamped to the range of bounded data, as the paper does."""
    network: Literal["auto", "mlp", "unet"] = "auto"
    """A U-Net on images and an MLP on points, or the one named (MLPs flatten images)."""
    widths: Widths = [128, 128, 128]
    """Hidden widths of the MLP."""
    channels: Count = 32
    """Channels of the U-Net at full resolution."""
    multipliers: Widths = [1, 2]
    """Channels of its levels, in multiples of `channels`; each level halves the resolution."""

    def build(self, space: Space) -> None:
        self.net = self._network(space)
        self.bounded = self.clip and space.low is not None
        self.discrete = (
            space.levels is not None and not space.dequantised and space.low is not None
        )
        coefficients = schedule(self.schedule, self.steps)
        sigma = coefficients.beta.sqrt()
        if self.variance != "large":
            sigma[1:] = coefficients.posterior_std[1:]  # β̃ is zero at the last reverse step
        ratio = coefficients.beta.sqrt() / sigma  # v interpolates from sigma to √β
        if self.learned:
            least = self._least(coefficients.posterior_std)
            sigma[0], ratio[0] = least, coefficients.beta[0].sqrt() / least
        buffers = {**vars(coefficients), "sigma": sigma, "log_sigma_ratio": ratio.log()}
        for name, values in buffers.items():
            self.register_buffer(name, values.float(), persistent=False)
        self.likelihood_reason = None if self.discrete else space.density_reason

    @property
    def learned(self) -> bool:
        """Whether the network predicts the variances of the reverse steps."""
        return self.variance == "learned"

    def _least(self, posterior_std: Tensor) -> float:
        """The σ₀ that v = 0 stands for."""
        if not self.discrete:
            return float(posterior_std[min(1, self.steps - 1)]) or 0.01
        assert self.space.levels is not None
        assert self.space.low is not None
        assert self.space.high is not None
        return 0.5 * (self.space.high - self.space.low) / (self.space.levels - 1)

    def _network(self, space: Space) -> UNet | StepMLP:
        outputs = 1 + self.learned
        if space.kind == "points" or self.network == "mlp":
            return StepMLP(space.dims, self.widths, self.steps, outputs=outputs)
        return UNet(space.shape[0], self.channels, self.multipliers, self.steps, outputs)

    def _at(self, name: str, t: Tensor, like: Tensor) -> Tensor:
        """A coefficient of the schedule at steps t (B,), (B, 1, …) as `like` (B, *shape)."""
        values = self.get_buffer(name)[t]
        return values.to(like.dtype).reshape(-1, *[1] * (like.ndim - 1))

    def diffuse(self, x: Tensor, t: Tensor, eps: Tensor) -> Tensor:
        alpha, sigma = (self._at(f"sqrt_{n}", t, x) for n in ("alpha_bar", "one_minus_alpha_bar"))
        return alpha * x + sigma * eps

    def predict_noise(self, x_t: Tensor, t: Tensor) -> Tensor:
        return self.predict(x_t, t)[0]

    def predict(self, x_t: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """σ_t is (B, 1, …) where it is fixed."""
        eps, sigma = self.net(x_t, t).to(x_t.dtype), self._at("sigma", t, x_t)
        if self.learned:
            eps, v = eps.chunk(2, dim=1)
            sigma = sigma * (0.5 * (v + 1) * self._at("log_sigma_ratio", t, x_t)).exp()
        return eps, sigma

    def bound_weights(self, t: Tensor) -> Tensor:
        """β_t² / (2 σ_t² α_t (1 − ᾱ_t)), of a continuous decoder where it is a discretised one."""
        coef_x0, alpha, noise, sigma = (self.get_buffer(name)[t] for name in (
            "posterior_coef_x0", "sqrt_alpha_bar", "sqrt_one_minus_alpha_bar", "sigma",
        ))
        return 0.5 * (coef_x0 * noise / (alpha * sigma)).square()

    def step_bound(
        self, x: Tensor, x_t: Tensor, t: Tensor, eps: Tensor, sigma: Tensor
    ) -> Tensor:
        """KL(q(x_{t−1} ∣ x_t, x) ‖ p(x_{t−1} ∣ x_t)); at the last reverse step −log p(x ∣ x_t)."""
        mean = self._mean(x_t, t, eps)
        exact = self._posterior_mean(x_t, t, x)
        spread = self._at("posterior_std", t, x_t)
        last = t.reshape(-1, *[1] * (x.ndim - 1)) == 0
        narrow = spread.where(~last, torch.ones_like(spread))
        kl = (sigma / narrow).log() - 0.5
        kl = kl + 0.5 * (narrow.square() + (exact - mean).square()) / sigma.square()
        return torch.where(last, -self._decoder(x, mean, sigma), kl)

    def _mean(self, x_t: Tensor, t: Tensor, eps: Tensor) -> Tensor:
        """The mean of p(x_{t−1} ∣ x_t) by the predicted noise."""
        noise = self._at("sqrt_one_minus_alpha_bar", t, x_t) * eps
        x_0 = (x_t - noise) / self._at("sqrt_alpha_bar", t, x_t)
        if self.bounded:
            x_0 = x_0.clamp(self.space.low, self.space.high)
        return self._posterior_mean(x_t, t, x_0)

    def _posterior_mean(self, x_t: Tensor, t: Tensor, x_0: Tensor) -> Tensor:
        """The mean of q(x_{t−1} ∣ x_t, x₀)."""
        coef_xt, coef_x0 = (self._at(f"posterior_coef_{n}", t, x_t) for n in ("xt", "x0"))
        return coef_xt * x_t + coef_x0 * x_0

    def _reverse(self, x_t: Tensor, step: int) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of p(x_{t−1} ∣ x_t) for all rows at one step."""
        t = torch.full((len(x_t),), step, device=x_t.device)
        eps, sigma = self.predict(x_t, t)
        return self._mean(x_t, t, eps), sigma

    def log_weights(
        self, x: Tensor, noise: Noise, k: int = 1, context: Tensor | None = None
    ) -> Tensor:
        """Of noised paths, drawn from their end: x_T given x₀, then each x_{t−1} given x_t and x₀,
        so that the large terms of log p and log q cancel step by step.
        """
        clean = x.expand(k, *x.shape).flatten(0, 1)  # (k·B, *shape)
        alpha, spread, sigma, coef_xt, coef_x0 = (
            self.get_buffer(name).to(x.dtype) for name in (
                "sqrt_alpha_bar", "sqrt_one_minus_alpha_bar", "posterior_std",
                "posterior_coef_xt", "posterior_coef_x0",
            )
        )
        eps = self._path_noise(noise, "end", x, k)
        x_t = alpha[-1] * clean + spread[-1] * eps
        total = _sum(log_normal(x_t) - log_normal(eps)) + self.space.dims * spread[-1].log()
        for t in range(self.steps - 1, 0, -1):
            eps = self._path_noise(noise, f"step{t}", x, k)
            previous = coef_xt[t] * x_t + coef_x0[t] * clean + sigma[t] * eps
            model = log_normal(previous, *self._reverse(x_t, t))
            total = total + _sum(model - log_normal(eps)) + self.space.dims * sigma[t].log()
            x_t = previous
        return (total + _sum(self._decoder(clean, *self._reverse(x_t, 0)))).reshape(k, -1)

    def _path_noise(self, noise: Noise, name: str, x: Tensor, k: int) -> Tensor:
        return noise.normal(name, k, *x.shape).to(x).flatten(0, 1)

    def _decoder(self, x: Tensor, mean: Tensor, sigma: Tensor) -> Tensor:
        if not self.discrete:
            return log_normal(x, mean, sigma)
        assert self.space.levels is not None
        assert self.space.low is not None
        assert self.space.high is not None
        return discretised_gaussian(
            x, mean, sigma, self.space.levels, self.space.low, self.space.high
        )

    def generate(self, n: int, noise: Noise, context: Tensor | None = None) -> Tensor:
        """The paper's algorithm 2; the last step adds no noise."""
        x_t = noise.normal("end", n, *self.space.shape).to(next(self.parameters()))
        for t in range(self.steps - 1, 0, -1):
            eps = noise.normal(f"step{t}", *x_t.shape).to(x_t)
            mean, sigma = self._reverse(x_t, t)
            x_t = mean + sigma * eps
        return self._reverse(x_t, 0)[0]


def _sum(terms: Tensor) -> Tensor:
    return terms.flatten(1).sum(1)
