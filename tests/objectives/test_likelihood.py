"""Likelihood, bounds, denoising and EM: golden values, bounds in order, what they move."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from genbench.data.space import Space
from genbench.errors import GenbenchError
from genbench.models.base import Model
from genbench.models.ddpm import DDPM
from genbench.models.gaussian_mixture import GaussianMixture
from genbench.models.mixture import MixtureModel
from genbench.models.nice import NICE
from genbench.models.vae import VAE
from genbench.noise import Noise
from genbench.objectives.base import Batch, Objective
from genbench.objectives.denoising import Denoising
from genbench.objectives.elbo import ELBO
from genbench.objectives.em import EM
from genbench.objectives.importance_weighted import ImportanceWeighted
from genbench.objectives.likelihood import Likelihood

POINTS = Space("points", (2,))
X = torch.tensor([[1.0, 0.0], [0.0, -2.0]])


class Weights(Model):
    """A bound with given weights, (k, B) = log of [[1, 2], [3, 6]]."""

    def build(self, space: Space) -> None:
        self.scale = torch.nn.Parameter(torch.tensor(1.0))

    def generate(self, n: int, noise: Noise, context: Tensor | None = None) -> Tensor:
        return self.scale * noise.normal("z", n, 2)

    def log_weights(self, x: Tensor, noise: Noise, k: int = 1) -> Tensor:
        return self.scale * torch.tensor([[1.0, 2.0], [3.0, 6.0]])[:k].log()


class Denoise(Model):
    """A denoiser that always says 0.5, with x_t = x + t·ε and weights 1 + t."""

    steps_: int = 3
    """Unused."""

    def build(self, space: Space) -> None:
        self.steps = 3
        self.guess = torch.nn.Parameter(torch.tensor(0.5))

    def generate(self, n: int, noise: Noise, context: Tensor | None = None) -> Tensor:
        return noise.normal("z", n, 2)

    def diffuse(self, x: Tensor, t: Tensor, eps: Tensor) -> Tensor:
        return x + t[:, None] * eps

    def predict_noise(self, x_t: Tensor, t: Tensor) -> Tensor:
        return self.guess.expand(x_t.shape)

    def bound_weights(self, t: Tensor) -> Tensor:
        return 1.0 + t


def value(objective: Objective, model: Model, x: Tensor = X) -> float:
    """The sum of the terms."""
    terms = objective.loss("model", model, Batch(x), Noise(0))
    return sum(float(term.detach()) for term in terms.values())


def test_likelihood_of_a_standard_normal_by_hand() -> None:
    model = NICE(POINTS)
    with torch.no_grad():
        for parameter in model.flow.parameters():
            parameter.zero_()
    # −log N = ln 2π + ‖x‖²/2: mean of 1/2 and 2
    assert value(Likelihood(model), model) == pytest.approx(math.log(2 * math.pi) + 1.25)


def test_bounds_of_given_weights_by_hand() -> None:
    model = Weights(POINTS)
    logs = [math.log(w) for w in (1, 2, 3, 6)]
    assert value(ELBO(model), model) == pytest.approx(-(logs[0] + logs[1]) / 2)
    assert value(ELBO(model, samples=2), model) == pytest.approx(-sum(logs) / 4)
    iw = ImportanceWeighted(model, k=2)
    assert value(iw, model) == pytest.approx(-(math.log(2) + math.log(4)) / 2)
    one = ImportanceWeighted(model, k=1)
    assert value(one, model) == pytest.approx(value(ELBO(model), model))


def test_the_elbo_of_a_vae_has_two_terms_and_is_below_the_iw_bound() -> None:
    torch.manual_seed(0)
    model = VAE(POINTS, latent=2, widths=[8])
    terms = ELBO(model).loss("model", model, Batch(X), Noise(0))
    assert set(terms) == {"reconstruction", "kl"}
    rows = torch.randn(200, 2)
    elbo = value(ELBO(model, samples=50), model, rows)
    bounds = [value(ImportanceWeighted(model, k=k), model, rows) for k in (5, 50)]
    assert elbo > bounds[0] > bounds[1]


def test_denoising_by_hand() -> None:
    model = Denoise(POINTS)
    noise = Noise(0)
    t, eps = noise.integers("t", 3, 2), noise.normal("eps", 2, 2)
    errors = ((eps - 0.5) ** 2).sum(1)
    assert value(Denoising(model), model) == pytest.approx(float(errors.mean()) / 2)
    expected = float((3 * (1.0 + t) * errors).mean())
    assert value(Denoising(model, weighting="bound"), model) == pytest.approx(expected)


def test_bound_weighting_is_the_negative_bound_up_to_a_constant() -> None:
    """Two networks: the difference of the losses is the difference of the negative bounds."""
    models = []
    for shake in (0.0, 0.3):
        torch.manual_seed(1)
        model = DDPM(POINTS, steps=5, widths=[8])
        with torch.no_grad():
            for parameter in model.parameters():
                parameter += shake * torch.randn_like(parameter)
        models.append(model)
    x = torch.tensor([[0.3, -0.4]]).expand(20_000, 2)
    with torch.no_grad():
        losses = [value(Denoising(m, weighting="bound"), m, x) for m in models]
        bounds = [float(m.log_weights(x, Noise(3)).mean()) for m in models]
    assert losses[1] - losses[0] == pytest.approx(bounds[0] - bounds[1], rel=0.05)


class Denoises(Weights):
    """It predicts noise, and weighs no steps."""

    steps = 3

    def predict_noise(self, x_t: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return x_t

    def diffuse(self, x: torch.Tensor, t: torch.Tensor, eps: torch.Tensor) -> torch.Tensor:
        return x + eps


def test_bound_weighting_needs_weights() -> None:
    Denoising(Denoises(POINTS))
    with pytest.raises(GenbenchError, match=r"needs a model with bound_weights\(t\)"):
        Denoising(Denoises(POINTS), weighting="bound")
    with pytest.raises(GenbenchError, match="needs a model with prediction of the noise"):
        Denoising(Weights(POINTS))


def test_a_mixture_starts_from_the_data_once() -> None:
    model = MixtureModel(POINTS, components=2, component_options={"couplings": 2, "widths": [4]})
    asked = []

    def draw(n: int, noise: Noise) -> Batch:
        asked.append(n)
        return Batch(torch.cat([torch.zeros(n // 2, 2), torch.ones(n - n // 2, 2)]))

    objective = Likelihood(model, start_points=40)
    objective.prepare(model, draw, Noise(0))
    assert asked == [40]
    assert sorted(model.shift[:, 0].tolist()) == pytest.approx([0.0, 1.0])
    with torch.no_grad():
        model.shift += 1
    objective.prepare(model, draw, Noise(1))
    assert sorted(model.shift[:, 0].tolist()) == pytest.approx([1.0, 2.0])
    Likelihood(NICE(POINTS)).prepare(NICE(POINTS), draw, Noise(0))
    assert asked == [40, 40]


def test_em_fits_before_the_first_update_and_nobody_plays() -> None:
    model = GaussianMixture(POINTS, components=2)
    objective = EM(model, points=400)
    assert list(objective.players(model)) == []

    def draw(n: int, noise: Noise) -> Batch:
        side = torch.where(torch.arange(n) % 2 == 0, -3.0, 3.0)[:, None]
        return Batch(side + noise.normal("x", n, 2))

    objective.prepare(model, draw, Noise(0))
    assert sorted(model.means[:, 0].tolist()) == pytest.approx([-3.0, 3.0], abs=0.3)
    assert objective.loss("model", model, Batch(X), Noise(0)) == {}
    before = model.means.clone()
    objective.prepare(model, draw, Noise(0))
    assert torch.equal(model.means, before)


@pytest.mark.parametrize(
    ("objective", "model"),
    [
        (Likelihood, lambda: NICE(POINTS, couplings=2, widths=[8])),
        (ELBO, lambda: VAE(POINTS, latent=1, widths=[8])),
        (ImportanceWeighted, lambda: VAE(POINTS, latent=1, widths=[8])),
        (Denoising, lambda: DDPM(POINTS, steps=5, widths=[8])),
    ],
)
def test_gradients_are_the_finite_differences(objective, model) -> None:  # type: ignore[no-untyped-def]
    torch.manual_seed(0)
    model = model().double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
    loss = objective(model)
    (player,) = loss.players(model)
    assert {id(p) for p in player.parameters} == {id(p) for p in model.parameters()}
    x = torch.randn(6, 2, dtype=torch.float64)

    def total() -> Tensor:
        return torch.stack(list(loss.loss("model", model, Batch(x), Noise(4)).values())).sum()

    total().backward()
    for parameter in model.parameters():
        direction = torch.randn_like(parameter)
        assert parameter.grad is not None
        with torch.no_grad():
            step = 1e-6 * direction
            parameter += step
            up = total()
            parameter -= 2 * step
            down = total()
            parameter += step
        expected = float(up - down) / 2e-6
        found = float((parameter.grad * direction).sum())
        assert found == pytest.approx(expected, rel=1e-4, abs=1e-6)
