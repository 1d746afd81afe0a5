"""Optimal transport between two small sets of rows, each row of equal weight.

Exact by assignment or as the linear program (the two agree), and entropic by Sinkhorn's iterations
(Marco Cuturi: Sinkhorn Distances, 2013, https://arxiv.org/abs/1306.0895), scaled and stabilised:
Bernhard Schmitzer: Stabilized Sparse Scaling Algorithms for Entropy Regularized Transport
Problems, 2019, https://arxiv.org/abs/1610.06519.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import logsumexp

from genbench.errors import NotApplicable

__all__ = ["assignment_cost", "entropic_plan", "exact_cost", "linear_program_cost"]

CHECKED = 10
"""Iterations between two looks at the marginals."""
STRETCH = 50
"""Looks between two steps in the log domain."""
FAR = 100.0
"""The largest logarithm of a scaling before it is taken into the potentials."""


def exact_cost(cost: np.ndarray) -> float:
    """The least mean cost (N, M) of moving N rows onto M: by assignment where N = M."""
    square = cost.shape[0] == cost.shape[1]
    return assignment_cost(cost) if square else linear_program_cost(cost)


def assignment_cost(cost: np.ndarray) -> float:
    """The least mean cost of a square matrix (N, N) over permutations."""
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(cost)
    return float(cost[rows, columns].mean())


def linear_program_cost(cost: np.ndarray) -> float:
    """min ⟨P, cost⟩ over P ≥ 0 with rows summing to 1/N and columns to 1/M, cost (N, M)."""
    from scipy.optimize import linprog
    from scipy.sparse import eye_array, kron, vstack

    n, m = cost.shape
    rows = kron(eye_array(n), np.ones((1, m)))
    columns = kron(np.ones((1, n)), eye_array(m))
    shares = np.concatenate([np.full(n, 1 / n), np.full(m, 1 / m)])
    found = linprog(cost.ravel(), A_eq=vstack([rows, columns]), b_eq=shares, method="highs")
    if not found.success:
        raise ArithmeticError(f"the linear program was not solved: {found.message}")
    return float(found.fun)


def entropic_plan(
    cost: np.ndarray, epsilon: float, iterations: int = 100_000, tolerance: float = 1e-5
) -> np.ndarray:
    """argmin ⟨P, cost⟩ − ε H(P), (N, M), over couplings of equal weights.

    ε comes down by halves from the largest cost, each level begun at the potentials of the one
    before; a level ends where the marginals are off by no more than `tolerance` in all (by 0.01
    on the way). The last plan is then rounded onto the couplings, so that it costs no less than
    the best of them: Jason Altschuler, Jonathan Weed, Philippe Rigollet: Near-linear time
    approximation algorithms for optimal transport via Sinkhorn iteration, 2017,
    https://arxiv.org/abs/1705.09634, algorithm 2.

    Raises:
        NotApplicable: a level takes more than `iterations`; says how far off the marginals are.
    """
    level = max(float(cost.max()) / 2, epsilon)
    f, g = np.zeros(cost.shape[0]), np.zeros(cost.shape[1])
    while level > epsilon:
        f, g, _ = _potentials(cost, level, f, g, iterations, max(0.01, tolerance))
        level = max(level / 2, epsilon)
    f, g, off = _potentials(cost, epsilon, f, g, iterations, tolerance)
    if off > tolerance:
        raise NotApplicable(
            f"no entropic plan at ε = {epsilon:g} in {iterations} iterations: its marginals are "
            f"off by {off:.1g}, more than {tolerance:g} (iterations)"
        )
    return _coupling(np.exp((f[:, None] + g - cost) / epsilon))


def _potentials(
    cost: np.ndarray, epsilon: float, f: np.ndarray, g: np.ndarray, iterations: int,
    tolerance: float,
) -> tuple[np.ndarray, np.ndarray, float]:
    """Sinkhorn's potentials at ε from those near by, and how far the marginals are off in all.

    Most iterations scale a kernel, a product of a matrix and a vector each; the scalings are taken
    into the potentials, in the log domain, before they grow out of the range of numbers.
    """
    n, m = cost.shape
    off, done = math.inf, 0
    while off > tolerance and done < iterations:
        f = -epsilon * (math.log(n) + logsumexp((g - cost) / epsilon, 1))
        g = -epsilon * (math.log(m) + logsumexp((f[:, None] - cost) / epsilon, 0))
        kernel = np.exp((f[:, None] + g - cost) / epsilon)
        u, v = np.ones(n), np.ones(m)
        for _ in range(STRETCH):
            for _ in range(CHECKED):
                u = 1 / (n * (kernel @ v))
                v = 1 / (m * (u @ kernel))
            done += CHECKED
            off = float(np.abs(u * (kernel @ v) - 1 / n).sum())
            far = max(np.abs(np.log(u)).max(), np.abs(np.log(v)).max()) > FAR
            if off <= tolerance or far or done >= iterations:
                break
        f, g = f + epsilon * np.log(u), g + epsilon * np.log(v)
    return f, g, off


def _coupling(plan: np.ndarray) -> np.ndarray:
    """The coupling of equal weights next to a plan (N, M) that is one nearly."""
    n, m = plan.shape
    plan = plan * np.minimum(1, 1 / (n * plan.sum(1)))[:, None]
    plan = plan * np.minimum(1, 1 / (m * plan.sum(0)))
    rows, columns = 1 / n - plan.sum(1), 1 / m - plan.sum(0)
    missing = rows.sum()
    return plan + np.outer(rows, columns) / missing if missing > 0 else plan
