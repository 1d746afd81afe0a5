"""Spectral normalisation against torch's singular values."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from genbench.nets import spectral


def norm(weight: Tensor) -> float:
    return torch.linalg.matrix_norm(weight.detach().flatten(1), ord=2).item()


def normalised(layer: nn.Module) -> nn.Module:
    spectral.add_spectral_norm(layer)
    for _ in range(200):
        spectral.power_iteration(layer)
    return layer


def test_weights_have_norm_one() -> None:
    torch.manual_seed(0)
    layers = nn.Sequential(nn.Linear(7, 5), nn.Conv2d(3, 4, 3), nn.Embedding(6, 5)).double()
    normalised(layers)
    for layer in layers:
        assert abs(norm(layer.weight) - 1) < 1e-9


def test_it_divides_by_the_largest_singular_value_of_the_kernel_as_a_matrix() -> None:
    torch.manual_seed(0)
    conv = nn.Conv2d(3, 4, 3).double()
    weight = conv.weight.detach().clone()
    normalised(conv)
    torch.testing.assert_close(conv.weight.detach(), weight / norm(weight))


def test_the_first_estimate_is_close_already() -> None:
    torch.manual_seed(0)
    layer = nn.Linear(64, 64)
    spectral.add_spectral_norm(layer)
    assert 0.99 < norm(layer.weight) < 1.1


def test_a_look_at_the_weight_changes_nothing() -> None:
    torch.manual_seed(0)
    layer = nn.Linear(64, 64).train()
    spectral.add_spectral_norm(layer)
    before = {name: value.clone() for name, value in layer.state_dict().items()}
    first, second = layer.weight.clone(), layer.weight.clone()
    assert torch.equal(first, second)
    assert all(torch.equal(before[name], value) for name, value in layer.state_dict().items())


def test_the_estimate_follows_a_moving_weight() -> None:
    torch.manual_seed(0)
    layer = nn.Linear(16, 16).double()
    spectral.add_spectral_norm(layer)
    original = layer.parametrizations.weight.original
    for _ in range(300):
        with torch.no_grad():
            original.add_(0.001 * torch.randn_like(original))
        spectral.power_iteration(layer)
    assert abs(norm(layer.weight) - 1) < 0.02


def test_gradient_by_finite_differences_with_the_vectors_held() -> None:
    torch.manual_seed(0)
    weight = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    part = spectral.SpectralNorm(weight)
    assert torch.autograd.gradcheck(part, (weight,))


def test_saves_and_loads() -> None:
    torch.manual_seed(0)
    first, second = nn.Linear(5, 5), nn.Linear(5, 5)
    spectral.add_spectral_norm(first)
    spectral.add_spectral_norm(second)
    second.load_state_dict(first.state_dict())
    assert torch.equal(first.weight, second.weight)


@pytest.mark.parametrize("layer", [nn.Linear(6, 4), nn.Conv2d(2, 4, 3)])
def test_in_bfloat16_the_norm_is_taken_in_float32(layer: nn.Module) -> None:
    """Under autocast: no error of types, and the weights are those without it."""
    torch.manual_seed(0)
    network = nn.Sequential(layer)
    spectral.add_spectral_norm(network)
    expected = layer.weight.detach().clone()
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(layer.weight, expected, rtol=0, atol=0)
        x = torch.randn(3, 6) if isinstance(layer, nn.Linear) else torch.randn(3, 2, 5, 5)
        network(x).sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in network.parameters())  # type: ignore[arg-type]
