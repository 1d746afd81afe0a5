"""Entropic transport: its limits, its marginals, its gradient."""

from __future__ import annotations

import pytest
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from genbench.data.space import Space
from genbench.models.nice import NICE
from genbench.noise import Noise
from genbench.objectives.base import Batch
from genbench.objectives.sinkhorn import Sinkhorn, transport_cost


def pair(n: int = 12, m: int = 12, dims: int = 2) -> tuple[Tensor, Tensor]:
    noise = Noise(3)
    return noise.normal("x", n, dims).double(), 1 + noise.normal("y", m, dims).double()


@pytest.mark.parametrize("cost", ["euclidean", "squared_euclidean"])
@pytest.mark.parametrize("dims", [2, 20])
def test_the_limits_are_assignment_and_independence(cost: str, dims: int) -> None:
    x, y = pair(dims=dims)
    costs = torch.cdist(x, y) ** (2 if cost == "squared_euclidean" else 1)
    rows, columns = linear_sum_assignment(costs.numpy())
    sharp = transport_cost(x, y, 0.002 * float(costs.mean()), 4000, cost)
    assert sharp.item() == pytest.approx(float(costs[rows, columns].mean()), rel=1e-3)
    blurred = transport_cost(x, y, 1e6, 5, cost)
    assert blurred.item() == pytest.approx(float(costs.mean()), rel=1e-4)


def test_sizes_may_differ_and_order_does_not_matter() -> None:
    x, y = pair(9, 14)
    value = transport_cost(x, y, 0.3, 200)
    torch.testing.assert_close(transport_cost(x.flip(0), y, 0.3, 200), value)
    doubled = transport_cost(x.repeat(2, 1), y, 0.3, 200)
    torch.testing.assert_close(doubled, value)
    # the marginals: moving all of y adds what the weights say
    far = transport_cost(x, y + torch.tensor([100.0, 0.0], dtype=torch.float64), 0.3, 200)
    mean = (y.mean(0) - x.mean(0))[0]
    assert far.item() - value.item() == pytest.approx(100**2 + 200 * float(mean), rel=1e-3)


def test_gradients_by_finite_differences() -> None:
    x, y = pair(4, 5)
    torch.autograd.gradcheck(
        lambda a, b: transport_cost(a, b, 0.5, 10), (x.requires_grad_(), y.requires_grad_())
    )


def test_the_debiased_divergence_is_least_where_samples_are_the_data() -> None:
    x, _ = pair()
    model = NICE(Space("points", (2,)), couplings=2, widths=[4])
    values = {}
    for debias in (True, False):
        objective = Sinkhorn(model, debias=debias, epsilon=0.5)
        for by in (0.7, 1.0, 1.3):
            model.generate = lambda n, noise, labels=None, by=by: by * x  # type: ignore[assignment]
            values[debias, by] = objective.loss("model", model, Batch(x), Noise(0))[
                "sinkhorn"
            ].item()
    assert values[True, 1.0] == pytest.approx(0, abs=1e-9)
    assert min(values[True, 0.7], values[True, 1.3]) > 1e-3
    assert values[False, 1.0] > 1  # the bias: blurred transport to itself costs
