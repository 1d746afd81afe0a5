"""The networks of diffusion: shapes, the step, and zero at the start."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from genbench.nets.embedding import StepMLP, sinusoidal_embedding
from genbench.nets.unet import UNet


def awake(net: nn.Module) -> nn.Module:
    """The network with every parameter moved off zero."""
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
    return net


@pytest.mark.parametrize(("height", "width"), [(8, 8), (9, 9), (11, 14), (28, 28)])
@pytest.mark.parametrize("multipliers", [[1], [1, 2], [1, 2, 2]])
def test_a_unet_keeps_any_size(height: int, width: int, multipliers: list[int]) -> None:
    net = UNet(3, 4, multipliers, steps=5)
    x = torch.randn(2, 3, height, width)
    t = torch.tensor([0, 4])
    assert net(x, t).shape == x.shape
    assert torch.equal(net(x, t), torch.zeros_like(x))
    assert awake(net)(x, t).abs().sum() > 0


@pytest.mark.parametrize("net", [UNet(1, 5, [1, 2], 7), StepMLP(64, [8], 7), StepMLP(2, [8], 7)])
def test_the_step_and_only_its_own_row_matter(net: nn.Module) -> None:
    awake(net)
    shape = (2,) if isinstance(net, StepMLP) and net.fourier else (1, 8, 8)
    x = torch.randn(3, *shape)
    once = net(x, torch.tensor([1, 2, 3]))
    other = net(x, torch.tensor([1, 5, 3]))
    torch.testing.assert_close(once[0], other[0])
    assert not torch.allclose(once[1], other[1])
    torch.testing.assert_close(net(x[1:2], torch.tensor([2])), once[1:2], rtol=1e-4, atol=1e-5)


def test_every_parameter_of_a_unet_gets_a_gradient() -> None:
    net = awake(UNet(1, 4, [1, 2], 5))
    net(torch.randn(2, 1, 8, 8), torch.tensor([0, 3])).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in net.parameters())


def test_embeddings_are_the_papers_and_stretched() -> None:
    table = sinusoidal_embedding(1000, 8)
    angle = 7 / 10_000 ** (2 / 4)
    assert float(table[7, 2]) == pytest.approx(math.sin(angle), rel=1e-5)
    assert float(table[7, 6]) == pytest.approx(math.cos(angle), rel=1e-5)
    torch.testing.assert_close(sinusoidal_embedding(100, 8)[7], table[70])
    assert sinusoidal_embedding(10, 8).shape == (10, 8)
