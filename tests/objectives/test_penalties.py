"""Penalties against input gradients known in closed form; clipping."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from genbench.noise import Noise
from genbench.objectives.gan.penalties import (
    PENALTIES,
    Regulariser,
    clip_weights,
    gradient_penalty,
    input_gradient,
    interpolate,
    r1_penalty,
)


def penalty_at(critic: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    return gradient_penalty(input_gradient(critic, x))


def test_a_critic_of_unit_gradient_norm_has_no_penalty() -> None:
    w = torch.tensor([0.6, -0.8], dtype=torch.float64)
    x = torch.randn(7, 2, dtype=torch.float64)
    assert penalty_at(lambda x: x @ w, x).item() == pytest.approx(0, abs=1e-24)


@pytest.mark.parametrize("norm", [0.0, 0.5, 3.0])
def test_a_linear_critic_is_penalised_on_both_sides(norm: float) -> None:
    w = norm * torch.tensor([0.6, -0.8], dtype=torch.float64)
    x = torch.randn(7, 2, dtype=torch.float64)
    assert penalty_at(lambda x: x @ w, x).item() == pytest.approx((norm - 1) ** 2)


def test_golden_value_of_a_quadratic_critic_on_images() -> None:
    x = torch.zeros(2, 1, 2, 2, dtype=torch.float64)
    x[0, 0, 0], x[1, 0, 1] = torch.tensor([3.0, 4.0]), torch.tensor([0.0, 2.0])
    penalty = penalty_at(lambda x: x.square().sum((1, 2, 3)) / 2, x)  # ∇c(x) = x
    assert penalty.item() == pytest.approx(((5 - 1) ** 2 + (2 - 1) ** 2) / 2)


def test_the_norm_is_per_example_and_not_of_the_batch() -> None:
    x = torch.eye(4, dtype=torch.float64)  # each has norm 1, together they have norm 2
    assert penalty_at(lambda x: x.square().sum(1) / 2, x).item() == pytest.approx(0)


def test_its_gradient_in_the_critic_by_finite_differences() -> None:
    x = torch.randn(5, 3, dtype=torch.float64)

    def penalty(w: Tensor, v: Tensor) -> Tensor:
        return penalty_at(lambda x: torch.tanh(x @ w) @ v, x)

    w = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    v = torch.randn(4, dtype=torch.float64, requires_grad=True)
    torch.autograd.gradcheck(penalty, (w, v))


def test_a_flat_critic_has_a_finite_gradient() -> None:
    w = torch.zeros(2, requires_grad=True)
    (gradient,) = torch.autograd.grad(penalty_at(lambda x: x @ w, torch.ones(3, 2)), w)
    assert gradient.isfinite().all()


def test_one_coefficient_for_each_example() -> None:
    real, fake = torch.ones(3, 2, 4, 4), torch.zeros(3, 2, 4, 4)
    share = torch.tensor([0.25, 0.5, 1.0])
    between = interpolate(real, fake, share)
    for row, expected in zip(between, share, strict=True):
        assert torch.equal(row, expected.expand(2, 4, 4))


def test_interpolation_runs_from_fake_at_0_to_real_at_1() -> None:
    real, fake = torch.randn(4, 3), torch.randn(4, 3)
    assert torch.equal(interpolate(real, fake, torch.ones(4)), real)
    assert torch.equal(interpolate(real, fake, torch.zeros(4)), fake)


def test_clipping_bounds_every_parameter_and_leaves_small_ones() -> None:
    layer = nn.Linear(2, 2)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[0.5, -0.5], [0.001, 0.01]]))
        layer.bias.copy_(torch.tensor([-3.0, 0.0]))
    clip_weights(layer.parameters(), 0.01)
    assert torch.equal(layer.weight, torch.tensor([[0.01, -0.01], [0.001, 0.01]]))
    assert torch.equal(layer.bias, torch.tensor([-0.01, 0.0]))


GOLDEN = {
    # of a linear critic whose gradient has norm 0, 1 and 3 everywhere
    "none": None, "clip": None,
    "gradient": (1.0, 0.0, 4.0), "dragan": (1.0, 0.0, 4.0), "r1": (0.0, 0.5, 4.5),
}


@pytest.mark.parametrize("name", PENALTIES)
def test_golden_values_of_every_penalty(name: str) -> None:
    real, fake = torch.randn(2, 5, 2, dtype=torch.float64)
    regulariser = Regulariser(PENALTIES[name])
    for place, norm in enumerate((0.0, 1.0, 3.0)):
        w = norm * torch.tensor([0.6, 0.8], dtype=torch.float64)
        terms = regulariser.terms(
            lambda x, w=w: input_gradient(lambda x: x @ w, x), real, fake, Noise(0)
        )
        golden = GOLDEN[name]
        expected = [] if golden is None else [golden[place]]
        assert [term.item() for term in terms.values()] == pytest.approx(expected, abs=1e-12)


def test_r1_is_half_the_mean_squared_norm() -> None:
    gradients = torch.tensor([[3.0, 4.0], [0.0, 2.0]])
    assert r1_penalty(gradients).item() == pytest.approx((25 + 4) / 2 / 2)
