"""Optimal transport between two small sets of rows, each row of equal weight.

Exact by assignment or as the linear program (the two agree), and entropic by Sinkhorn's iterations
(Marco Cuturi: Sinkhorn Distances, 2013, https://arxiv.org/abs/1306.0895), scaled and stabilised:
Bernhard Schmitzer: Stabilized Sparse Scaling Algorithms for Entropy Regularized Transport
Problems, 2019, https://arxiv.org/abs/1610.06519.
"""

import math

import numpy as np

from genbench.errors import NotApplicable

CHECKED = 10
"""Iterations between two looks at the marginals."""
FAR = 30.0
"""The largest logarithm of a scaling before it is taken into the potentials."""
LARGE, NEAR, SHORT = 1000, 1e-3, 10
"""Rows from which an assignment starts from potentials; their ε, in mean costs; their iterations
at most."""


def exact_cost(cost: np.ndarray) -> float:
    """The least mean cost (N, M) of moving N rows onto M: by assignment where N = M."""
    square = cost.shape[0] == cost.shape[1]
    return assignment_cost(cost) if square else linear_program_cost(cost)


def assignment_cost(cost: np.ndarray) -> float:
    """The least mean cost of a square matrix (N, N) over permutations."""
    from scipy.optimize import linear_sum_assignment

    reduced = cost if len(cost) < LARGE else _reduced(cost)
    rows, columns = linear_sum_assignment(reduced)
    return float(cost[rows, columns].mean())


def _reduced(cost: np.ndarray) -> np.ndarray:
    """cost (N, M) less potentials of its rows and columns, not below 0: the same best assignment.

    With potentials that are nearly the best, those of an entropic plan at a small ε, the search
    for it has short ways (5,000 points around a ring: 7 s for 5 s of the truth, 7 s for 25 s of a
    model that misses modes).
    """
    rough, last = cost.astype(np.float32), NEAR * float(cost.mean()) or 1.0
    with np.errstate(all="ignore"):
        _, g, _ = _descended(rough, last, SHORT, 0.02)
    if not np.isfinite(g).all():  # costs too far apart for single precision
        return cost
    f = (cost - g).min(1)
    reduced = cost - f[:, None]
    reduced -= reduced.min(0)
    return reduced


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
    f, g, off = _descended(cost, epsilon, iterations, tolerance)
    if off > tolerance:
        raise NotApplicable(
            f"no entropic plan at ε = {epsilon:g} in {iterations} iterations: its marginals are "
            f"off by {off:.1g}, more than {tolerance:g} (iterations)"
        )
    return _coupling(_kernel(cost, epsilon, f, g))


def _descended(
    cost: np.ndarray, epsilon: float, iterations: int, tolerance: float
) -> tuple[np.ndarray, np.ndarray, float]:
    """Sinkhorn's potentials (N,), (M,) at ε, and how far the marginals are off in all."""
    level = max(float(cost.max()) / 2, epsilon)
    f, g = np.zeros(cost.shape[0]), np.zeros(cost.shape[1])
    while level > epsilon:
        f, g, _ = _potentials(cost, level, f, g, iterations, max(0.01, tolerance))
        level = max(level / 2, epsilon)
    return _potentials(cost, epsilon, f, g, iterations, tolerance)


def _potentials(
    cost: np.ndarray, epsilon: float, f: np.ndarray, g: np.ndarray, iterations: int,
    tolerance: float,
) -> tuple[np.ndarray, np.ndarray, float]:
    """The same from potentials near by, in the precision of the costs.

    An iteration scales a kernel, a product of a matrix and a vector each way; the scalings are
    taken into the potentials before they grow out of the range of numbers.
    """
    n, m = cost.shape
    off, done = math.inf, 0
    while off > tolerance and done < iterations:
        kernel = _kernel(cost, epsilon, f, g)
        u, v = np.ones(n, cost.dtype), np.ones(m, cost.dtype)
        far = False
        while off > tolerance and done < iterations and not far:
            for _ in range(CHECKED):
                u = 1 / (n * (kernel @ v))
                v = 1 / (m * (u @ kernel))
            done += CHECKED
            off = float(np.abs(u * (kernel @ v) - 1 / n).sum())
            far = max(np.abs(np.log(u)).max(), np.abs(np.log(v)).max()) > FAR
        f, g = f + epsilon * np.log(u), g + epsilon * np.log(v)
    return f, g, off


def _kernel(cost: np.ndarray, epsilon: float, f: np.ndarray, g: np.ndarray) -> np.ndarray:
    """exp((f + g − cost) / ε), (N, M), in one array."""
    found = np.add.outer(f.astype(cost.dtype), g.astype(cost.dtype))
    found -= cost
    found /= epsilon
    return np.exp(found, out=found)


def _coupling(plan: np.ndarray) -> np.ndarray:
    """The coupling of equal weights next to a plan (N, M) that is one nearly."""
    n, m = plan.shape
    plan = plan * np.minimum(1, 1 / (n * plan.sum(1)))[:, None]
    plan = plan * np.minimum(1, 1 / (m * plan.sum(0)))
    rows, columns = 1 / n - plan.sum(1), 1 / m - plan.sum(0)
    missing = rows.sum()
    return plan + np.outer(rows, columns) / missing if missing > 0 else plan
