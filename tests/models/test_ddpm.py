"""DDPM: the schedule's identities, the bound against the KL form, sampling."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from genbench.data.space import Space
from genbench.errors import GenbenchError
from genbench.models.ddpm import DDPM, schedule
from genbench.nets.densities import discretised_gaussian
from genbench.noise import Noise
from genbench.objectives.base import Batch
from genbench.objectives.denoising import Denoising

POINTS = Space("points", (2,))
GREY = Space("images", (1, 2, 2), levels=5, low=-1.0, high=1.0)
FORWARD = ("sqrt_alpha_bar", "sqrt_one_minus_alpha_bar")


def ddpm(space: Space, steps: int = 4, **options: object) -> DDPM:
    """A small model whose network is awake, in float64."""
    torch.manual_seed(0)
    model = DDPM(space, **{"steps": steps, "widths": [8], "network": "mlp", **options}).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.2 * torch.randn_like(parameter)
    return model


def gaussian_kl(m1: Tensor, s1: Tensor, m2: Tensor, s2: Tensor) -> Tensor:
    """KL(N(m1, s1²) ‖ N(m2, s2²)) summed over dimensions."""
    part = torch.log(s2 / s1) + (s1**2 + (m1 - m2) ** 2) / (2 * s2**2) - 0.5
    return part.flatten(1).sum(1)


def kl_form(model: DDPM, x: Tensor, n: int) -> Tensor:
    """−ELBO of one datum x (1, *shape) by Ho et al.'s eq. 5, over n draws of each x_t; (n,)."""
    beta = model.get_buffer("beta").double()
    alpha, kept = 1 - beta, torch.cumprod(1 - beta, 0)
    generator = torch.Generator().manual_seed(5)
    rows = x.expand(n, *x.shape[1:])
    zero, one = torch.zeros_like(rows), torch.ones(1, dtype=torch.float64)
    total = gaussian_kl(kept[-1].sqrt() * rows, (1 - kept[-1]).sqrt(), zero, one)
    for t in range(model.steps):
        eps = torch.randn(rows.shape, generator=generator, dtype=torch.float64)
        x_t = kept[t].sqrt() * rows + (1 - kept[t]).sqrt() * eps
        guess, back = model.predict(x_t, torch.full((n,), t))
        clean = (x_t - (1 - kept[t]).sqrt() * guess) / kept[t].sqrt()
        if model.clips_x0:
            clean = clean.clamp(-1, 1)
        before = kept[t - 1] if t else one[0]
        coefficients = (before.sqrt() * beta[t], alpha[t].sqrt() * (1 - before))
        mean = (coefficients[0] * clean + coefficients[1] * x_t) / (1 - kept[t])
        target = (coefficients[0] * rows + coefficients[1] * x_t) / (1 - kept[t])
        spread = (beta[t] * (1 - before) / (1 - kept[t])).sqrt()
        if not model.learned:
            back = beta[t].sqrt() if model.variance == "large" or t == 0 else spread
        if t:
            total = total + gaussian_kl(target, spread, mean, back)
        elif model.discrete:
            terms = discretised_gaussian(rows, mean, back, 5, -1.0, 1.0)
            total = total - terms.flatten(1).sum(1)
        else:
            law = torch.distributions.Normal(mean, back)
            total = total - law.log_prob(rows).flatten(1).sum(1)
    return total


@pytest.mark.parametrize("space", [POINTS, GREY])
@pytest.mark.parametrize("variance", ["small", "large", "learned"])
@pytest.mark.parametrize("name", ["linear", "cosine"])
def test_the_mean_weight_is_the_kl_form(space: Space, variance: str, name: str) -> None:
    model = ddpm(space, variance=variance, schedule=name)
    x = torch.full((1, *space.shape), 0.5, dtype=torch.float64)
    with torch.no_grad():
        paths = -model.log_weights(x, Noise(2), 20_000)[:, 0]
        form = kl_form(model, x, 20_000)
    error = math.sqrt(float(paths.var() + form.var()) / 20_000)
    assert float(paths.mean()) == pytest.approx(float(form.mean()), abs=4 * error + 1e-6)


def test_weights_are_for_each_datum_alone() -> None:
    model = ddpm(POINTS)
    x = torch.randn(5, 2, dtype=torch.float64)
    weights = model.log_weights(x, Noise(1), 3)
    assert weights.shape == (3, 5)
    changed = x.clone()
    changed[2] += 1
    same = model.log_weights(changed, Noise(1), 3)
    keep = [0, 1, 3, 4]
    torch.testing.assert_close(weights[:, keep], same[:, keep])
    assert not torch.isclose(weights[:, 2], same[:, 2]).any()


def test_with_one_step_the_importance_weighted_bound_is_the_density() -> None:
    """One step: p(x) = ∫ N(x₁; 0, 1) N(x; μ(x₁), β) dx₁, by quadrature on a grid."""
    model = ddpm(POINTS, steps=1)
    x = torch.tensor([[0.4, -0.2]], dtype=torch.float64)
    line = torch.linspace(-7, 7, 401, dtype=torch.float64)
    grid = torch.cartesian_prod(line, line)
    with torch.no_grad():
        mean, sigma = model._p_mean_std(grid, 0)
        logs = torch.distributions.Normal(mean, sigma).log_prob(x).sum(1)
        logs = logs + torch.distributions.Normal(0.0, 1.0).log_prob(grid).sum(1)
        truth = torch.logsumexp(logs, 0) + 2 * math.log(14 / 400)
        weights = model.log_weights(x, Noise(3), 50_000)[:, 0]
    estimate = torch.logsumexp(weights, 0) - math.log(50_000)
    assert float(weights.mean()) < float(truth)
    assert float(estimate) == pytest.approx(float(truth), abs=0.02)


@pytest.mark.parametrize("name", ["linear", "cosine"])
@pytest.mark.parametrize("steps", [1, 7, 1000])
def test_schedules_keep_their_identities(name: str, steps: int) -> None:
    s = schedule(name, steps)
    total = s.sqrt_alpha_bar**2 + s.sqrt_one_minus_alpha_bar**2
    torch.testing.assert_close(total, torch.ones_like(s.beta))
    assert ((s.beta > 0) & (s.beta < 1)).all()
    # E[x_{t−1}] by way of x_t and x₀ is what it is directly.
    before = torch.cat([torch.ones(1).double(), s.sqrt_alpha_bar[:-1]])
    mean = s.posterior_coef_xt * s.sqrt_alpha_bar + s.posterior_coef_x0
    torch.testing.assert_close(mean, before)
    assert float(s.posterior_std[0]) == 0


def test_linear_is_the_papers() -> None:
    s = schedule("linear", 1000)
    assert float(s.beta[0]) == pytest.approx(1e-4)
    assert float(s.beta[-1]) == pytest.approx(0.02)
    assert float(s.sqrt_alpha_bar[-1] ** 2) == pytest.approx(4.04e-5, rel=0.01)


def test_diffusing_is_the_forward_chain() -> None:
    model = ddpm(POINTS)
    x, t = torch.randn(3, 2).double(), torch.tensor([0, 1, 3])
    eps = torch.randn(3, 2).double()
    kept = torch.cumprod(1 - model.get_buffer("beta").double(), 0)[t][:, None]
    torch.testing.assert_close(
        model.diffuse(x, t, eps), kept.sqrt() * x + (1 - kept).sqrt() * eps, atol=1e-6, rtol=0
    )


def test_an_oracle_samples_its_datum() -> None:
    """Where the network knows that all data are one point, the chain ends there."""
    model = ddpm(POINTS, steps=20, schedule="cosine")
    target = torch.tensor([0.7, -1.2], dtype=torch.float64)

    class Oracle(torch.nn.Module):
        def forward(self, x: Tensor, t: Tensor) -> Tensor:
            signal, spread = (model.get_buffer(n)[t][:, None] for n in FORWARD)
            return (x - signal * target) / spread

    parameter = next(model.parameters())
    model.net = Oracle()  # type: ignore[assignment]
    model.register_parameter("kept", torch.nn.Parameter(parameter.detach()))
    x = model.generate(40, Noise(1))
    torch.testing.assert_close(x, target.expand(40, 2), atol=1e-5, rtol=0)


def test_a_clipped_model_stays_in_range() -> None:
    assert ddpm(GREY).generate(30, Noise(0)).abs().max() <= 1
    assert ddpm(GREY).discrete
    assert not ddpm(GREY, clip=False).clips_x0
    assert not ddpm(POINTS).discrete


def test_images_use_the_unet_unless_told() -> None:
    space = Space("images", (1, 9, 9), levels=5, low=-1.0, high=1.0)
    model = DDPM(space, steps=3, channels=4)
    assert type(model.net).__name__ == "UNet"
    assert model.generate(2, Noise(0)).shape == (2, 1, 9, 9)
    with pytest.raises(GenbenchError, match="unet is for images"):
        DDPM(POINTS, network="unet")


@pytest.mark.parametrize("sampled", [True, False])
def test_gradients_reach_the_network(sampled: bool) -> None:
    model = ddpm(POINTS)
    x = torch.randn(4, 2).double()
    value = model.generate(4, Noise(0)) if sampled else model.log_weights(x, Noise(0))
    value.square().sum().backward()
    assert all(p.grad is not None and p.grad.any() for p in model.parameters())


@pytest.mark.parametrize("variance", ["large", "small"])
def test_the_posterior_is_exact_at_the_last_step_back(variance: str) -> None:
    model = ddpm(POINTS, variance=variance)
    assert float(model.get_buffer("posterior_std")[0]) == 0  # x₀ is x₀
    assert float(model.get_buffer("sigma")[0]) > 0


@pytest.mark.parametrize("space", [POINTS, GREY])
@pytest.mark.parametrize("variance", ["small", "large", "learned"])
def test_the_steps_sum_to_the_bound(space: Space, variance: str) -> None:
    """E over paths of what the steps cost is the bound, but for what x_T costs."""
    model = ddpm(space, variance=variance)
    n = 20_000
    x = torch.full((n, *space.shape), 0.5, dtype=torch.float64)
    generator, total = torch.Generator().manual_seed(3), torch.zeros(n, dtype=torch.float64)
    with torch.no_grad():
        for step in range(model.steps):
            t = torch.full((n,), step)
            x_t = model.diffuse(x, t, torch.randn(x.shape, generator=generator).double())
            total += model.step_bound(x, x_t, t, *model.predict(x_t, t)).flatten(1).sum(1)
        signal, spread = (model.get_buffer(n)[-1].double() for n in FORWARD)
        total += gaussian_kl(signal * x, spread, torch.zeros_like(x), torch.ones_like(spread))
        form = kl_form(model, x[:1], n)
    error = math.sqrt(float(total.var() + form.var()) / n)
    assert float(total.mean()) == pytest.approx(float(form.mean()), abs=4 * error + 1e-6)


def test_what_is_certain_costs_next_to_nothing_with_learned_variances() -> None:
    """All data are one grey image and the noise is known: three bits a pixel with fixed σ₀."""
    space = Space("images", (1, 4, 4), levels=256, low=-1.0, high=1.0)
    x = torch.full((64, 1, 4, 4), 17 / 127.5 - 1)
    bits = {}
    for variance in ("small", "learned"):
        model = DDPM(space, steps=100, schedule="cosine", network="mlp", variance=variance)
        net = model.net = Knowing(model, x[0])  # type: ignore[assignment]
        optimiser = torch.optim.Adam(net.parameters(), 0.05)
        objective = Denoising(model)
        for update in range(300):
            terms = objective.loss("model", model, Batch(x), Noise(update))
            optimiser.zero_grad()
            torch.stack(list(terms.values())).sum().backward()
            optimiser.step()
        with torch.no_grad():
            cost = -model.log_weights(x[:4], Noise(0)).mean() / 16 / math.log(2)
        bits[variance] = float(cost)
    assert bits["small"] > 3
    assert bits["learned"] < 1


class Knowing(torch.nn.Module):
    """Says the noise of a datum exactly, and v of each step by a parameter."""

    def __init__(self, model: DDPM, datum: Tensor) -> None:
        super().__init__()
        self.model, self.datum = [model], datum
        self.v = torch.nn.Parameter(torch.zeros(model.steps))

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        model = self.model[0]
        signal, spread = (model.get_buffer(n)[t].view(-1, 1, 1, 1)
                          for n in FORWARD)
        v = self.v[t].view(-1, 1, 1, 1).expand_as(x)
        eps = (x - signal * self.datum) / spread
        return torch.cat((eps, v), 1) if model.learned else eps + 0 * v
