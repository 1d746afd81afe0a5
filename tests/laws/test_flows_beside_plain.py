"""A flow of the project learns as fast as a page of plain PyTorch, by its likelihood.

That is a finer judge than samples are (see test_beside_plain.py): many flows of one kind start
side by side, on the same data and at the same settings, and their spread says what is chance.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from genbench.data.space import Space
from genbench.models.realnvp import RealNVP
from genbench.nets.densities import base_log_prob

STARTS = 16
"""Flows of one kind, side by side."""
BATCH = 128
CHANCE = 2.5
"""How many standard errors ours may be worse by: one pair of a hundred is."""
Density = Callable[[Tensor], Tensor]
"""The log densities (STARTS, B) of points (STARTS, B, 2)."""


def ring(*shape: int) -> Tensor:
    """Points (*shape, 2) of eight Gaussians on a ring, about as wide as a standard normal."""
    angle = 2 * math.pi / 8 * torch.randint(8, shape)
    points = 2 * torch.stack((angle.cos(), angle.sin()), -1) + 0.1 * torch.randn(*shape, 2)
    return points / math.sqrt(2)


def layer(inputs: int, outputs: int) -> tuple[Tensor, Tensor]:
    """Weights and biases of a stack of linear layers, begun as torch begins them."""
    bound = 1 / math.sqrt(inputs)
    weight = torch.empty(STARTS, inputs, outputs).uniform_(-bound, bound)
    bias = torch.empty(STARTS, 1, outputs).uniform_(-bound, bound)
    return weight.requires_grad_(), bias.requires_grad_()


def plain_realnvp() -> tuple[list[Tensor], Density]:
    """Eight affine couplings (Dinh et al., 2017) of [64, 64], and nothing else."""
    nets = [[layer(1, 64), layer(64, 64), layer(64, 2)] for _ in range(8)]

    def density(x: Tensor) -> Tensor:
        log_det = torch.zeros(x.shape[:2])
        for i, net in enumerate(nets):
            h = x[..., i % 2, None]
            for weight, bias in net[:-1]:
                h = torch.relu(h @ weight + bias)
            scale, shift = (h @ net[-1][0] + net[-1][1]).unbind(-1)
            moved = x[..., 1 - i % 2] * scale.tanh().exp() + shift
            x = torch.stack((moved, x[..., 1]) if i % 2 else (x[..., 0], moved), -1)
            log_det = log_det + scale.tanh()
        return log_det - 0.5 * x.square().sum(-1) - math.log(2 * math.pi)

    return [tensor for net in nets for pair in net for tensor in pair], density


def our_realnvp() -> tuple[list[Tensor], Density]:
    """The project's, as many and as wide."""
    model = RealNVP(Space("points", (2,)), couplings=8, widths=[64, 64])
    flow = model.bijection(model.space, STARTS)

    def density(x: Tensor) -> Tensor:
        z, log_det = flow(x)
        return base_log_prob("gaussian", z) + log_det

    return list(flow.parameters()), density


def learned(parameters: list[Tensor], density: Density, updates: int = 600) -> Tensor:
    """Train each flow of the stack by itself; their mean log densities of new points (STARTS,)."""
    step = torch.optim.Adam(parameters, 0.001, foreach=True)
    for _ in range(updates):
        loss = -density(ring(STARTS, BATCH)).mean(1).sum()
        step.zero_grad()
        loss.backward()
        step.step()
    with torch.no_grad():
        return density(ring(STARTS, 2000)).mean(1)


@pytest.mark.slow
def test_realnvp_learns_as_fast_as_a_plain_one() -> None:
    torch.manual_seed(0)
    ours, plain = learned(*our_realnvp()), learned(*plain_realnvp())
    error = ((ours.var() + plain.var()) / STARTS).sqrt()
    assert float(ours.mean()) > float(plain.mean() - CHANCE * error), (ours, plain)
