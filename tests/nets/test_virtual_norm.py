"""Virtual batch norm against its definition, example by example."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from genbench.nets.virtual_norm import VirtualBatchNorm, WithReference


@pytest.mark.parametrize("shape", [(3,), (3, 4, 5)])
def test_each_example_with_the_reference_and_itself(shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    n = 6
    layer = VirtualBatchNorm(3, n).double()
    layer.weight.data.uniform_(0.5, 2)
    layer.bias.data.uniform_(-1, 1)
    reference, x = torch.randn(n, *shape).double(), 2 + torch.randn(4, *shape).double()
    y = layer(torch.cat((reference, x)))
    dims = [0, *range(2, x.dim())]
    size = (1, 3, *[1] * (x.dim() - 2))
    for i in range(4):
        together = torch.cat((reference, x[i : i + 1]))
        mean = together.mean(dims, keepdim=True)
        var = together.var(dims, correction=0, keepdim=True)
        expected = (x[i : i + 1] - mean) / (var + 1e-5).sqrt()
        expected = expected * layer.weight.reshape(size) + layer.bias.reshape(size)
        torch.testing.assert_close(y[n + i : n + i + 1], expected)
    mean = reference.mean(dims, keepdim=True)
    var = reference.var(dims, correction=0, keepdim=True)
    own = (reference - mean) / (var + 1e-5).sqrt() * layer.weight.reshape(size)
    torch.testing.assert_close(y[:n], own + layer.bias.reshape(size))


def test_examples_do_not_depend_on_one_another() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(2, 8), VirtualBatchNorm(8, 5), nn.ReLU(), nn.Linear(8, 1))
    wrapped = WithReference(network, (2,), 5)
    wrapped.fill(torch.randn(5, 2))
    x = torch.randn(7, 2)
    torch.testing.assert_close(wrapped(x)[2:3], wrapped(x[2:3]))
    before = wrapped(x)
    wrapped.fill(torch.zeros(5, 2))  # it is kept: a second batch changes nothing
    assert torch.equal(wrapped(x), before)


@pytest.mark.parametrize("shape", [(3,), (3, 4, 4)])
def test_a_large_mean_in_low_precision_keeps_the_spread(shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    x = (100 + torch.randn(40, *shape)).bfloat16()
    layer = VirtualBatchNorm(3, 32)
    y = layer(x).float()
    assert y.dtype == torch.float32
    exact = layer(x.double()).float()
    torch.testing.assert_close(y, exact, rtol=0.02, atol=0.02)
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(layer(x).float(), exact, rtol=0.02, atol=0.02)
    far = (1e4 + torch.randn(40, *shape, dtype=torch.float64)).float()
    torch.testing.assert_close(layer(far), layer(far.double()).float(), rtol=1e-3, atol=1e-3)
