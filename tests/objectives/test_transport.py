"""Transport as a loss: Bregman costs, their dual, Sinkhorn's two values and two gradients."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from genbench.data.space import Space
from genbench.errors import GenbenchError
from genbench.models.generator import Generator
from genbench.noise import Noise
from genbench.objectives.base import Batch
from genbench.objectives.relaxed_wasserstein import RelaxedWasserstein, bregman
from genbench.objectives.sinkhorn import Sinkhorn, transport_cost


def pair(n: int = 7, m: int = 7) -> tuple[Tensor, Tensor]:
    noise = Noise(3)
    return noise.normal("x", n, 2).double(), 1 + 0.7 * noise.normal("y", m, 2).double()


@pytest.mark.parametrize(("kind", "phi"), [
    ("squared_euclidean", lambda x: x.square().sum() / 2),
    ("exponential", lambda x: x.exp().sum()),
])
def test_bregman_divergences_from_their_definition(kind: str, phi) -> None:
    x, y = pair(4, 5)
    got = bregman(kind, x, y)
    for i, a in enumerate(x):
        for j, b in enumerate(y):
            point = b.clone().requires_grad_()
            (slope,) = torch.autograd.grad(phi(point), point)
            expected = (phi(a) - phi(b) - slope @ (a - b)) / 2
            assert got[i, j].item() == pytest.approx(expected.item(), abs=1e-9)
    torch.testing.assert_close(bregman(kind, x, x).diagonal(), torch.zeros(4).double())
    assert (got > 0).all()


def test_the_relaxed_dual_reaches_the_transport_cost() -> None:
    x, y = pair()
    torch.manual_seed(0)
    model = Generator(Space("points", (2,)), widths=[4])
    model.generate = lambda n, noise, labels=None: y  # type: ignore[method-assign]
    objective = RelaxedWasserstein(model, epsilon=0.002, critic_widths=[64, 64]).double()
    optimiser = torch.optim.Adam(objective.parameters(), 0.003)
    for _ in range(1500):
        optimiser.zero_grad()
        terms = objective.loss("critic", model, Batch(x), Noise(0))
        sum(terms.values()).backward()
        optimiser.step()
    cost = bregman("exponential", x, y)
    rows, columns = linear_sum_assignment(cost.numpy())
    exact = cost[rows, columns].mean().item()
    reached = -sum(objective.loss("critic", model, Batch(x), Noise(0)).values()).item()
    assert reached == pytest.approx(exact, rel=0.1)


def test_the_model_minimises_what_the_potentials_maximise() -> None:
    torch.manual_seed(0)
    model = Generator(Space("points", (2,)), widths=[4])
    objective = RelaxedWasserstein(model, critic_widths=[8])
    batch = Batch(Noise(1).normal("x", 5, 2))
    critic = objective.loss("critic", model, batch, Noise(2))
    generator = objective.loss("model", model, batch, Noise(2))
    for name, term in critic.items():
        torch.testing.assert_close(generator[name], -term)


@pytest.mark.parametrize("cost", ["squared_euclidean", "euclidean"])
def test_envelope_and_unrolled_gradients_agree_at_convergence(cost: str) -> None:
    x, y = pair(6, 9)
    slopes, values = [], []
    for gradient in ("unrolled", "envelope"):
        point = x.clone().requires_grad_()
        value = transport_cost(
            point, y, 0.5, 2000, cost, value="regularised", gradient=gradient
        )
        slopes.append(torch.autograd.grad(value, point)[0])
        values.append(value.item())
    assert values[0] == pytest.approx(values[1], rel=1e-12)
    torch.testing.assert_close(slopes[0], slopes[1], rtol=0, atol=1e-10)


def test_the_regularised_value_is_the_minimum_of_its_objective() -> None:
    x, y = pair(5, 5)
    epsilon = 0.7
    value = transport_cost(x, y, epsilon, 3000, value="regularised").item()
    costs = torch.cdist(x, y).square().numpy()

    def objective(plan: np.ndarray) -> float:
        return float((plan * costs).sum() + epsilon * (plan * np.log(plan * 25)).sum())

    sharp = transport_cost(x, y, epsilon, 3000).item()
    assert sharp < value < costs.mean()
    rng = np.random.default_rng(0)
    for _ in range(20):  # other couplings of the same marginals, by Sinkhorn's scaling
        plan = rng.uniform(0.2, 1, (5, 5))
        for _ in range(200):
            plan /= 5 * plan.sum(1, keepdims=True)
            plan /= 5 * plan.sum(0, keepdims=True)
        assert objective(plan) > value
    independent = np.full((5, 5), 1 / 25)
    assert objective(independent) == pytest.approx(costs.mean())


def test_the_envelope_is_refused_for_the_sharp_value() -> None:
    model = Generator(Space("points", (2,)), widths=[4])
    with pytest.raises(GenbenchError, match="value: regularised"):
        Sinkhorn(model, gradient="envelope")
