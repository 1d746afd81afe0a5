"""The VAE: its bound against a closed form and against quadrature, and its decoders."""

from __future__ import annotations

import math

import pytest
import torch

from genbench.data.space import Space
from genbench.errors import GenbenchError
from genbench.models.base import Model
from genbench.models.vae import VAE
from genbench.noise import Noise

POINTS = Space("points", (2,))
GREY = Space("images", (1, 2, 2), levels=5, low=-1.0, high=1.0)
BINARY = Space("images", (1, 2, 2), levels=2, low=-1.0, high=1.0)
DEQUANTISED = Space("images", (1, 2, 2), levels=5, low=-1.0, high=1.0, dequantised=True)


def vae(space: Space, **options: object) -> VAE:
    torch.manual_seed(0)
    return VAE(space, **{"latent": 2, "widths": [16], **options})


class LinearNet(torch.nn.Module):
    """A fixed affine map in the place of an MLP."""

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor) -> None:
        super().__init__()
        self.weight, self.bias = weight, bias

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x @ self.weight.T + self.bias


def linear_gaussian() -> tuple[VAE, torch.distributions.Distribution, torch.Tensor]:
    """A decoder x = Wz + b + 0.5 ε with one code, an encoder off its posterior, and p(x)."""
    model = vae(POINTS, latent=1, spread="fixed", decoder_scale=0.5).double()
    weight = torch.tensor([[0.8], [-0.6]], dtype=torch.float64)
    bias = torch.tensor([0.3, 0.1], dtype=torch.float64)
    model.net = LinearNet(weight, bias)  # type: ignore[assignment]
    marginal = torch.distributions.MultivariateNormal(
        bias, weight @ weight.T + 0.25 * torch.eye(2, dtype=torch.float64)
    )
    # p(z|x) = N(m, v): v = 1/(1 + |w|²/0.25) = 0.2, m = v w·(x − b)/0.25
    encode = torch.cat([0.8 * weight.T, torch.zeros(1, 2, dtype=torch.float64)])
    std = 5 * math.atanh(0.5 * math.log(0.2) / 5) + 2
    offset = torch.stack([-(0.8 * weight[:, 0] * bias).sum(), torch.tensor(std).double()])
    model.encoder = LinearNet(encode, offset)  # type: ignore[assignment]
    return model, marginal, torch.randn(6, 2, dtype=torch.float64)


def test_with_the_exact_posterior_every_weight_is_the_marginal() -> None:
    model, marginal, x = linear_gaussian()
    weights = model.log_weights(x, Noise(3), 4)
    torch.testing.assert_close(weights, marginal.log_prob(x).expand(4, -1), atol=2e-6, rtol=0)


def test_bounds_rise_with_k_towards_the_marginal() -> None:
    model, marginal, x = linear_gaussian()
    model.encoder.bias = model.encoder.bias + torch.tensor([0.4, 0.6])  # type: ignore[operator]
    weights = model.log_weights(x, Noise(3), 40_000)
    truth = float(marginal.log_prob(x).mean())
    bounds = []
    for k in (1, 5, 50, 40_000):
        groups = weights.reshape(-1, k, len(x))
        bounds.append(float((torch.logsumexp(groups, 1) - math.log(k)).mean()))
    assert bounds == sorted(bounds)
    assert bounds[0] < truth - 0.1
    assert bounds[-1] == pytest.approx(truth, abs=2e-3)


@pytest.mark.parametrize("space", [POINTS, GREY, BINARY])
@pytest.mark.parametrize("spread", ["learned", "predicted", "fixed"])
def test_the_parts_sum_to_the_elbo(space: Space, spread: str) -> None:
    model = vae(space, spread=spread)
    x = model.generate(3, Noise(1)).detach()
    split = sum(model.bound_terms(x, Noise(2), 4000).values())
    whole = -model.log_weights(x, Noise(2), 4000).mean(0)
    assert isinstance(split, torch.Tensor)
    torch.testing.assert_close(split, whole, atol=0.15, rtol=0.02)


@pytest.mark.parametrize(("space", "levels"), [(GREY, 5), (BINARY, 2)])
def test_discrete_probabilities_sum_to_one(space: Space, levels: int) -> None:
    model = vae(space).double()
    assert model.discrete
    line = torch.linspace(-1, 1, levels, dtype=torch.float64)
    images = torch.cartesian_prod(*[line] * 4)
    features = model.net(torch.randn(1, 2, dtype=torch.float64))
    total = model.likelihood.log_prob(images, features).exp().sum()
    assert float(total.detach()) == pytest.approx(1.0)


def test_auto_takes_a_decoder_that_is_a_likelihood() -> None:
    assert not vae(POINTS).discrete
    assert vae(POINTS).likelihood_reason is None
    assert vae(GREY).likelihood_reason is None
    assert vae(BINARY, decoder="bernoulli").likelihood_reason is None
    assert not vae(DEQUANTISED).discrete
    assert vae(DEQUANTISED).likelihood_reason is None


def test_what_is_no_likelihood_says_why() -> None:
    grey = vae(GREY, decoder="bernoulli")
    assert not grey.discrete
    assert "binary images only, these have 5 grey levels" in str(grey.likelihood_reason)
    assert "unbounded" in str(vae(GREY, decoder="gaussian").likelihood_reason)


@pytest.mark.parametrize(
    ("space", "decoder", "why"),
    [
        (POINTS, "bernoulli", "for images; use gaussian"),
        (POINTS, "discretised_logistic", "for images; use gaussian"),
        (DEQUANTISED, "discretised_logistic", "needs grey levels"),
        (Space("images", (1, 2, 2), levels=5), "bernoulli", "needs bounded images"),
    ],
)
def test_unfit_decoders_are_refused(space: Space, decoder: str, why: str) -> None:
    with pytest.raises(GenbenchError, match=why):
        vae(space, decoder=decoder)


def test_samples_are_means_or_draws() -> None:
    model = vae(GREY)
    z = Noise(4).normal("z", 6, 2)
    torch.testing.assert_close(model.generate(6, Noise(4)), model.decode(z))
    drawn = vae(GREY, sample_mean=False).generate(500, Noise(4))
    levels = (drawn.detach() + 1) * 2
    torch.testing.assert_close(levels, levels.round(), atol=1e-5, rtol=0)
    coins = vae(BINARY, sample_mean=False).generate(500, Noise(4)).detach()
    torch.testing.assert_close(coins.abs(), torch.ones_like(coins))
    points = vae(POINTS, spread="fixed", decoder_scale=0.5)
    z = Noise(4).normal("z", 4000, 2)
    residual = points.generate(4000, Noise(4)) - points.decode(z)
    assert float(residual.std().detach()) == pytest.approx(0.5, rel=0.05)


@pytest.mark.parametrize("space", [POINTS, GREY, BINARY])
def test_draws_pass_gradients(space: Space) -> None:
    model = vae(space, sample_mean=False)
    model.generate(20, Noise(0)).square().sum().backward()
    assert all(p.grad is not None and p.grad.any() for p in model.net.parameters())


def test_scaling_follows_the_decoder() -> None:
    assert Model.preferred_scaling("points") == VAE.preferred_scaling("points")
    assert VAE.preferred_scaling("images") == ("symmetric", False)
    assert VAE.preferred_scaling("images", decoder="gaussian") == ("symmetric", True)


def test_a_far_datum_keeps_the_posterior_finite() -> None:
    mean, std = vae(POINTS).posterior(torch.full((1, 2), 1e8))
    assert torch.isfinite(mean).all()
    assert 0 < float(std.min().detach()) <= float(std.max().detach()) <= math.exp(5)
