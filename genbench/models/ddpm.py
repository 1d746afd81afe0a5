"""Denoising diffusion in discrete time (Ho et al., 2020, arXiv:2006.11239). With α_t = 1 − β_t
and ᾱ_t = Π_{s ≤ t} α_s:

    q(x_t ∣ x₀) = N(√ᾱ_t x₀, (1 − ᾱ_t) I)
    p(x_{t−1} ∣ x_t) = N(μ(x_t, x̂₀), σ_t² I),   x̂₀ = (x_t − √(1 − ᾱ_t) ε̂(x_t, t)) / √ᾱ_t
    log p(x₀) ≥ E_q [ log p(x_T) + Σ_t log p(x_{t−1} ∣ x_t) − log q(x_{1:T} ∣ x₀) ]

Steps count from 0 here: x_t after step t is the paper's x_{t+1}. With learned variances (Nichol,
Dhariwal, 2021, arXiv:2102.09672, eq. 15) the network also predicts v for every dimension:

    σ_t² = exp(v log β_t + (1 − v) log β̃_t)

At the last reverse step β̃ is 0, and half a grey level takes the place of its square root (the
paper: β̃ of the step before), so that the likelihood of nearly constant pixels stays high even
with few steps.
Later work: `genbench docs pointers`.
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

_MAX_BETA = 0.999
"""β at most: with 1, ᾱ is 0, and the prediction of x₀ divides by it."""


@dataclass(frozen=True)
class Schedule:
    """Coefficients of steps 0 … steps−1, each (steps,) float64.

    x_t = √ᾱ_t x₀ + √(1 − ᾱ_t) ε; q(x_{t−1} ∣ x_t, x₀) is a Gaussian with mean
    posterior_coef_xt·x_t + posterior_coef_x0·x₀ and standard deviation posterior_std = √β̃_t;
    at t = 0, x_{t−1} is x₀.
    """

    beta: Tensor
    sqrt_alpha_bar: Tensor
    sqrt_one_minus_alpha_bar: Tensor
    posterior_coef_xt: Tensor
    posterior_coef_x0: Tensor
    posterior_std: Tensor


def schedule(name: str, steps: int) -> Schedule:
    """The noise schedule "linear" or "cosine" of `steps` steps.

    `linear` is that of Ho et al. (β from 10⁻⁴ to 0.02 over 1000 steps), with β multiplied by
    1000/steps, so that ᾱ at the last step is about the same; `cosine` is that of Nichol, Dhariwal,
    eq. 17.
    """
    if name == "linear":
        beta = torch.linspace(1e-4, 0.02, steps, dtype=torch.float64) * (1000 / steps)
    else:
        time = torch.arange(steps + 1, dtype=torch.float64) / steps
        f = torch.cos((time + 0.008) / 1.008 * math.pi / 2).square()
        beta = 1 - f[1:] / f[:-1]
    beta = beta.clamp(max=_MAX_BETA)
    alpha_bar = torch.cumprod(1 - beta, 0)
    alpha_bar_prev = torch.cat([torch.ones(1, dtype=torch.float64), alpha_bar[:-1]])
    return Schedule(
        beta=beta,
        sqrt_alpha_bar=alpha_bar.sqrt(),
        sqrt_one_minus_alpha_bar=(1 - alpha_bar).sqrt(),
        posterior_coef_xt=(1 - beta).sqrt() * (1 - alpha_bar_prev) / (1 - alpha_bar),
        posterior_coef_x0=alpha_bar_prev.sqrt() * beta / (1 - alpha_bar),
        posterior_std=(beta * (1 - alpha_bar_prev) / (1 - alpha_bar)).sqrt(),
    )


class DDPM(Model):
    """A diffusion model in discrete time, with prediction of the noise ε.

    Cost: a sample, and a likelihood bound, take `steps` evaluations of the network. Bound: k = 1
    is the variational bound, estimated on one trajectory of the forward process.
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
    """Diffusion steps T."""
    schedule: Literal["cosine", "linear"] = "linear"
    """Noise schedule; `linear` is the paper's, `cosine` has fewer steps at which x_t is nearly
    pure noise."""
    variance: Literal["large", "small", "learned"] = "small"
    """Variance of a reverse step: β_t (large) or the posterior's β̃_t (small); the optimum lies
    between, and with `learned` the network predicts it. With few steps, a fixed variance costs
    likelihood (bits per dimension)."""
    clip: bool = True
    """Whether the predicted x₀ is clamped to the range of bounded data, as in the paper."""
    network: Literal["auto", "mlp", "unet"] = "auto"
    """U-Net or MLP (which flattens images); auto: a U-Net on images, an MLP on points."""
    widths: Widths = [128, 128, 128]
    """Hidden widths of the MLP."""
    channels: Count = 32
    """Channels of the U-Net at full resolution."""
    multipliers: Widths = [1, 2]
    """Channels of the U-Net's levels, in multiples of `channels`; each level halves the
    resolution."""

    def build(self, space: Space) -> None:
        self.net = self._network(space)
        self.clips_x0 = self.clip and space.low is not None
        self.discrete = (
            space.levels is not None and not space.dequantised and space.low is not None
        )
        coefficients = schedule(self.schedule, self.steps)
        sigma = coefficients.beta.sqrt()
        if self.variance != "large":
            sigma[1:] = coefficients.posterior_std[1:]  # β̃ is zero at the last reverse step
        ratio = coefficients.beta.sqrt() / sigma  # v interpolates log σ from log sigma to log √β
        if self.learned:
            sigma_0 = self._min_sigma_0(coefficients.posterior_std)
            sigma[0], ratio[0] = sigma_0, coefficients.beta[0].sqrt() / sigma_0
        buffers = {**vars(coefficients), "sigma": sigma, "log_sigma_ratio": ratio.log()}
        for name, values in buffers.items():
            self.register_buffer(name, values.float(), persistent=False)
        self.likelihood_reason = None if self.discrete else space.density_reason

    @property
    def learned(self) -> bool:
        """Whether the network predicts the variances of the reverse steps."""
        return self.variance == "learned"

    def _min_sigma_0(self, posterior_std: Tensor) -> float:
        """σ of the last reverse step at v = 0, where √β̃ is 0."""
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

    def _coefficient(self, name: str, t: Tensor, x: Tensor) -> Tensor:
        """A coefficient of the schedule at steps t (B,), (B, 1, …) for x (B, *shape)."""
        values = self.get_buffer(name)[t]
        return values.to(x.dtype).reshape(-1, *[1] * (x.ndim - 1))

    def diffuse(self, x: Tensor, t: Tensor, eps: Tensor) -> Tensor:
        noise = self._coefficient("sqrt_one_minus_alpha_bar", t, x) * eps
        return self._coefficient("sqrt_alpha_bar", t, x) * x + noise

    def predict_noise(self, x_t: Tensor, t: Tensor) -> Tensor:
        return self.predict(x_t, t)[0]

    def predict(self, x_t: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """σ_t is (B, 1, …) where it is fixed."""
        eps, sigma = self.net(x_t, t).to(x_t.dtype), self._coefficient("sigma", t, x_t)
        if self.learned:
            eps, v = eps.chunk(2, dim=1)
            sigma = sigma * (0.5 * (v + 1) * self._coefficient("log_sigma_ratio", t, x_t)).exp()
        return eps, sigma

    def bound_weights(self, t: Tensor) -> Tensor:
        """β_t² / (2 σ_t² α_t (1 − ᾱ_t)), also at t = 0, as if the decoder were a density."""
        coef_x0, sqrt_alpha_bar, sqrt_one_minus_alpha_bar, sigma = (
            self.get_buffer(name)[t] for name in (
                "posterior_coef_x0", "sqrt_alpha_bar", "sqrt_one_minus_alpha_bar", "sigma",
            )
        )
        return 0.5 * (coef_x0 * sqrt_one_minus_alpha_bar / (sqrt_alpha_bar * sigma)).square()

    def step_bound(
        self, x: Tensor, x_t: Tensor, t: Tensor, eps: Tensor, sigma: Tensor
    ) -> Tensor:
        """KL(q(x_{t−1} ∣ x_t, x) ‖ p(x_{t−1} ∣ x_t)); at the last reverse step −log p(x ∣ x_t)."""
        mean = self._p_mean(x_t, t, eps)
        q_mean = self._posterior_mean(x_t, t, x)
        q_std = self._coefficient("posterior_std", t, x_t)
        last = t.reshape(-1, *[1] * (x.ndim - 1)) == 0
        q_std = q_std.where(~last, torch.ones_like(q_std))  # 0 at the last step
        kl = (sigma / q_std).log() - 0.5
        kl = kl + 0.5 * (q_std.square() + (q_mean - mean).square()) / sigma.square()
        return torch.where(last, -self._decoder(x, mean, sigma), kl)

    def _p_mean(self, x_t: Tensor, t: Tensor, eps: Tensor) -> Tensor:
        """The mean of p(x_{t−1} ∣ x_t), from the predicted noise."""
        noise = self._coefficient("sqrt_one_minus_alpha_bar", t, x_t) * eps
        x_0 = (x_t - noise) / self._coefficient("sqrt_alpha_bar", t, x_t)
        if self.clips_x0:
            x_0 = x_0.clamp(self.space.low, self.space.high)
        return self._posterior_mean(x_t, t, x_0)

    def _posterior_mean(self, x_t: Tensor, t: Tensor, x_0: Tensor) -> Tensor:
        """The mean of q(x_{t−1} ∣ x_t, x₀)."""
        coef_xt, coef_x0 = (self._coefficient(f"posterior_coef_{n}", t, x_t) for n in ("xt", "x0"))
        return coef_xt * x_t + coef_x0 * x_0

    def _p_mean_std(self, x_t: Tensor, step: int) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of p(x_{t−1} ∣ x_t), the same t for all rows."""
        t = torch.full((len(x_t),), step, device=x_t.device)
        eps, sigma = self.predict(x_t, t)
        return self._p_mean(x_t, t, eps), sigma

    def log_weights(
        self, x: Tensor, noise: Noise, k: int = 1, context: Tensor | None = None
    ) -> Tensor:
        """Of trajectories drawn backwards: x_T from q(x_T ∣ x₀), then each x_{t−1} from
        q(x_{t−1} ∣ x_t, x₀), so that the large terms of log p and log q cancel at every step.
        """
        x_0 = x.expand(k, *x.shape).flatten(0, 1)  # (k·B, *shape)
        sqrt_alpha_bar, sqrt_one_minus_alpha_bar, q_std, coef_xt, coef_x0 = (
            self.get_buffer(name).to(x.dtype) for name in (
                "sqrt_alpha_bar", "sqrt_one_minus_alpha_bar", "posterior_std",
                "posterior_coef_xt", "posterior_coef_x0",
            )
        )
        eps, std = _trajectory_noise(noise, "end", x, k), sqrt_one_minus_alpha_bar[-1]
        x_t = sqrt_alpha_bar[-1] * x_0 + std * eps
        log_w = _sum(log_normal(x_t) - log_normal(eps)) + self.space.dims * std.log()
        for t in range(self.steps - 1, 0, -1):
            eps = _trajectory_noise(noise, f"step{t}", x, k)
            x_prev = coef_xt[t] * x_t + coef_x0[t] * x_0 + q_std[t] * eps
            log_p = log_normal(x_prev, *self._p_mean_std(x_t, t))
            log_w = log_w + _sum(log_p - log_normal(eps)) + self.space.dims * q_std[t].log()
            x_t = x_prev
        return (log_w + _sum(self._decoder(x_0, *self._p_mean_std(x_t, 0)))).reshape(k, -1)

    def _decoder(self, x: Tensor, mean: Tensor, sigma: Tensor) -> Tensor:
        """log p(x₀ ∣ x_t) of the last reverse step, elementwise."""
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
            mean, sigma = self._p_mean_std(x_t, t)
            x_t = mean + sigma * eps
        return self._p_mean_std(x_t, 0)[0]


def _trajectory_noise(noise: Noise, name: str, x: Tensor, k: int) -> Tensor:
    return noise.normal(name, k, *x.shape).to(x).flatten(0, 1)


def _sum(terms: Tensor) -> Tensor:
    return terms.flatten(1).sum(1)
