"""Sinkhorn's iterations against the same loop written out by hand."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from _ratios import interleaved
from pytest_benchmark.fixture import BenchmarkFixture

from genbench.noise import Noise
from genbench.objectives.sinkhorn import transport_cost

Ratio = Callable[[str, str, str], None]


@pytest.mark.parametrize("dims", [2, 784])
def test_a_hundred_iterations(benchmark: BenchmarkFixture, ratio: Ratio, dims: int) -> None:
    n, iterations, epsilon = 256, 100, 0.1 * dims
    x, y = Noise(0).normal("x", n, dims), 1 + Noise(0).normal("y", n, dims)

    def ours() -> None:
        point = y.clone().requires_grad_()
        transport_cost(x, point, epsilon, iterations).backward()

    def by_hand() -> None:
        point = y.clone().requires_grad_()
        cost = torch.cdist(x, point).square()
        mu = torch.full((n,), -math.log(n))
        f, g = torch.zeros(n), torch.zeros(n)
        for _ in range(iterations):
            f = epsilon * (mu - torch.logsumexp((g - cost) / epsilon, 1))
            g = epsilon * (mu - torch.logsumexp((f[:, None] - cost) / epsilon, 0))
        plan = ((f[:, None] + g - cost) / epsilon).exp()
        (plan * cost).sum().backward()

    mine, theirs = interleaved(ours, by_hand, rounds=7)
    benchmark.extra_info["ratio"] = mine / theirs
    ratio(f"Sinkhorn, 100 iterations of 256×256, {dims} dims, ours / by hand",
          f"{mine / theirs:.3f}", "≤ 1.5")
    benchmark.pedantic(ours, rounds=1)
