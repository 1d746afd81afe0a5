"""Optimal transport between two small sets of rows, each row of equal weight.

Exact by assignment or as the linear program (the two agree), and entropic by Sinkhorn's iterations
in the log domain: Marco Cuturi: Sinkhorn Distances, 2013, https://arxiv.org/abs/1306.0895.
"""

from __future__ import annotations

import math

import numpy as np
import torch

__all__ = ["assignment_cost", "entropic_plan", "exact_cost", "linear_program_cost"]


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


def entropic_plan(cost: np.ndarray, epsilon: float, iterations: int = 1000) -> np.ndarray:
    """argmin ⟨P, cost⟩ − ε H(P), (N, M), over couplings of equal weights."""
    n, m = cost.shape
    log_k = torch.from_numpy(-cost / epsilon).double()  # torch's logsumexp is ten times as quick
    g = log_k.new_zeros(m)
    for _ in range(iterations):
        f = -math.log(n) - (log_k + g).logsumexp(1)
        moved = -math.log(m) - (log_k + f[:, None]).logsumexp(0)
        done = bool((moved - g).abs().max() < 1e-12)
        g = moved
        if done:
            break
    return (log_k + f[:, None] + g).exp().numpy()
