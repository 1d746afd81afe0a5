"""Exact transport two ways, and its entropic relaxation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from scipy.special import logsumexp

from genbench.errors import NotApplicable
from genbench.evaluation.transport import (
    assignment_cost,
    entropic_plan,
    exact_cost,
    linear_program_cost,
)


def cost(n: int, m: int, dims: int = 2, seed: int = 0, power: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return cdist(rng.normal(size=(n, dims)), rng.normal(1, 2, (m, dims))) ** power


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("n", "dims", "power"), [(5, 2, 1), (40, 2, 2), (30, 20, 1)])
def test_linear_program_and_assignment_agree(n: int, dims: int, power: int, seed: int) -> None:
    costs = cost(n, n, dims, seed, power)
    assert linear_program_cost(costs) == pytest.approx(assignment_cost(costs), rel=0, abs=1e-9)


def test_unequal_sizes_are_a_linear_program() -> None:
    costs = cost(4, 6)
    # copies make both sides equally long, and move nothing
    copied = np.repeat(np.repeat(costs, 3, 0), 2, 1)
    assert exact_cost(costs) == pytest.approx(assignment_cost(copied), rel=0, abs=1e-9)


def test_in_one_dimension_it_is_sorting() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=30), rng.normal(2, 3, 30)
    exact = np.abs(np.sort(x) - np.sort(y)).mean()
    assert exact_cost(np.abs(x[:, None] - y)) == pytest.approx(exact, abs=1e-12)


@pytest.mark.parametrize(("n", "m"), [(20, 20), (12, 17)])
def test_the_entropic_plan(n: int, m: int) -> None:
    costs, exact = cost(n, m), exact_cost(cost(n, m))
    found, entropies = [], []
    for epsilon in (1e-4, 1e-3, 0.01, 0.1, 1.0, 10.0, 1e4):
        plan = entropic_plan(costs, epsilon, tolerance=1e-9 if epsilon >= 0.1 else 1e-5)
        np.testing.assert_allclose(plan.sum(0), 1 / m, atol=1e-12)
        np.testing.assert_allclose(plan.sum(1), 1 / n, atol=1e-12)
        held = plan[plan > 0]
        entropies.append(-(held * np.log(held)).sum())
        found.append((plan * costs).sum())
        # of the form u_i exp(−C_ij/ε) v_j: the cross ratio is that of the kernel
        if epsilon >= 1:
            log = np.log(plan) + costs / epsilon
            mixed = log[:-1, :-1] + log[1:, 1:] - log[:-1, 1:] - log[1:, :-1]
            np.testing.assert_allclose(mixed, 0, atol=1e-4)
        # what is lost to the entropy is at most ε times its range
        assert exact - 1e-12 <= found[-1] <= exact + epsilon * np.log(n * m)
    assert found == sorted(found)
    assert entropies == sorted(entropies)
    assert found[0] == pytest.approx(exact, rel=1e-4)
    assert found[-1] == pytest.approx(costs.mean(), rel=1e-3)
    assert entropies[-1] == pytest.approx(np.log(n * m), abs=1e-3)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_no_plan_costs_less_than_the_best(seed: int, scale: float) -> None:
    costs = scale * cost(15, 15, seed=seed)
    costs[:, :5] += 30 * scale  # a far group, as of a mode that is missed
    exact = linear_program_cost(costs)
    for epsilon in (1e-3, 0.01, 0.1, 1.0, 30.0):
        plan = entropic_plan(costs, epsilon * scale)
        assert exact * (1 - 1e-9) <= (plan * costs).sum() <= exact + epsilon * scale * np.log(225)


def test_it_agrees_with_iterations_in_the_log_domain() -> None:
    costs, epsilon = cost(30, 30, seed=3), 0.2
    f = g = np.zeros(30)
    for _ in range(500):
        f = -epsilon * (np.log(30) + logsumexp((g - costs) / epsilon, 1))
        g = -epsilon * (np.log(30) + logsumexp((f[:, None] - costs) / epsilon, 0))
    plain = np.exp((f[:, None] + g - costs) / epsilon)
    np.testing.assert_allclose(entropic_plan(costs, epsilon, tolerance=1e-10), plain, atol=1e-10)


def test_a_plan_that_has_not_converged_is_none() -> None:
    with pytest.raises(NotApplicable, match=r"ε = 0\.001 in 20 iterations: its marginals are off"):
        entropic_plan(cost(40, 40), 0.001, 20)


def test_equal_points_cost_nothing() -> None:
    np.testing.assert_allclose(entropic_plan(np.zeros((4, 6)), 0.1), 1 / 24, rtol=1e-12)


@pytest.mark.parametrize("far", [0.0, 50.0])
def test_large_assignments_start_from_potentials_and_end_at_the_same(far: float) -> None:
    costs = cost(1100, 1100, seed=5)
    costs[:300, 200:] += far  # a group that has to be carried far
    rows, columns = linear_sum_assignment(costs)
    assert assignment_cost(costs) == pytest.approx(costs[rows, columns].mean(), rel=1e-12)
    assert assignment_cost(np.zeros((1000, 1000))) == 0
