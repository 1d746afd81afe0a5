"""What a critic sees of a batch, against the definitions written out."""

from __future__ import annotations

import math

import torch

from genbench.nets.minibatch import MinibatchDeviation, MinibatchDiscrimination


def test_discrimination_by_hand() -> None:
    layer = MinibatchDiscrimination(1, 2).double()
    with torch.no_grad():
        layer.kernel.zero_()
        layer.kernel[0, 0, 0] = 1.0
        layer.kernel[0, 1, :2] = torch.tensor([1.0, -1.0])
    features = torch.tensor([[0.0], [1.0], [3.0]], dtype=torch.float64)
    seen = layer(features)
    torch.testing.assert_close(seen[:, :1], features)
    e = math.exp
    expected = torch.tensor([
        [1 + e(-1) + e(-3), 1 + e(-2) + e(-6)],
        [1 + e(-1) + e(-2), 1 + e(-2) + e(-4)],
        [1 + e(-3) + e(-2), 1 + e(-6) + e(-4)],
    ], dtype=torch.float64) / 3
    torch.testing.assert_close(seen[:, 1:], expected)


def test_a_collapsed_batch_is_most_alike() -> None:
    torch.manual_seed(0)
    layer = MinibatchDiscrimination(4, 3)
    spread = torch.randn(8, 4)
    alike = spread[:1].expand(8, 4)
    assert (layer(alike)[:, 4:] > layer(spread)[:, 4:]).all()
    torch.testing.assert_close(layer(alike)[:, 4:], torch.ones(8, 3))


def test_similarities_do_not_grow_with_the_batch() -> None:
    torch.manual_seed(0)
    layer = MinibatchDiscrimination(4, 3)
    some = torch.randn(8, 4)
    torch.testing.assert_close(layer(some.repeat(5, 1))[:8], layer(some))


def test_deviation_is_the_mean_over_features() -> None:
    features = torch.tensor([[0.0, 1.0], [2.0, 1.0], [4.0, 1.0]])
    seen = MinibatchDeviation()(features)
    expected = ((8 / 3) ** 0.5 + 1e-4) / 2
    torch.testing.assert_close(seen[:, 2], torch.full((3,), expected))
    assert torch.equal(seen[:, :2], features)
