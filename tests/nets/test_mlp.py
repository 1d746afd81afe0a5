"""The fully connected network."""

from __future__ import annotations

import pytest
import torch

from genbench.errors import GenbenchError
from genbench.nets.mlp import MLP


def test_it_is_the_chain_of_its_layers() -> None:
    net = MLP(3, 2, [5, 4], "tanh")
    x = torch.randn(7, 3)
    w0, b0, w1, b1, w2, b2 = net.parameters()
    by_hand = torch.tanh(torch.tanh(x @ w0.T + b0) @ w1.T + b1) @ w2.T + b2
    torch.testing.assert_close(net(x), by_hand)
    assert w0.shape == (5, 3)
    assert w2.shape == (2, 4)


def test_zeroed_it_gives_zero_and_still_learns() -> None:
    net = MLP(3, 2, [5]).zero_last()
    out = net(torch.randn(7, 3))
    assert torch.equal(out, torch.zeros(7, 2))
    (out - 1).square().sum().backward()
    assert net.layers[-1].weight.grad is not None
    assert net.layers[-1].weight.grad.abs().sum() > 0


def test_an_unknown_activation_is_named() -> None:
    with pytest.raises(GenbenchError, match="no activation 'rleu'; there is elu"):
        MLP(3, 2, [5], "rleu")
