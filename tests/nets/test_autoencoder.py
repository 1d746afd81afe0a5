"""An energy network sees real and generated batches: batch norm is that of the batch at hand."""

from __future__ import annotations

import pytest
import torch

from genbench.nets.autoencoder import EnergyNet
from genbench.nets.critic import Backbone


def network(kind: str) -> EnergyNet:
    torch.manual_seed(0)
    return EnergyNet(Backbone(kind, (1, 8, 8), [16], 4, "relu"), 5)


@pytest.mark.parametrize("kind", ["mlp", "dcgan"])
def test_shapes(kind: str) -> None:
    codes, rebuilt = network(kind)(torch.rand(6, 1, 8, 8))
    assert codes.shape == (6, 5)
    assert rebuilt.shape == (6, 1, 8, 8)


def test_no_moments_of_other_batches_are_kept() -> None:
    net, real, fake = network("dcgan"), torch.rand(32, 1, 8, 8), 3 * torch.randn(32, 1, 8, 8)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    with torch.no_grad():
        _, first = net.train()(real)
        net(fake)
        _, evaluated = net.eval()(real)
    assert torch.equal(first, evaluated)
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
