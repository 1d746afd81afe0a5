"""The critics of a mixture: the same as separate networks, and their gradients in closed form."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import Tensor, nn

from genbench.nets.component_critics import ComponentCritics, SeparateCritics, component_critics
from genbench.nets.critic import Backbone, Critic, critic_network, is_piecewise_linear


def critics(shape: tuple[int, ...], kind: str = "mlp", **options: object) -> ComponentCritics:
    torch.manual_seed(0)
    shared = bool(options.pop("shared", False))
    settings = {"widths": [7, 5], "channels": 4, "activation": "relu", **options}
    backbone = Backbone(kind, shape, **settings)  # type: ignore[arg-type]
    return component_critics(backbone, 3, shared=shared).double()


def double_backward(score: nn.Module, x: Tensor, weights: Tensor) -> Tensor:
    x = x.clone().requires_grad_()
    (gradient,) = torch.autograd.grad((weights * score(x)).sum(), x, create_graph=True)
    return gradient


@pytest.mark.parametrize("options", [
    {}, {"activation": "leaky_relu"}, {"shared": True}, {"kind": "dcgan", "shared": True},
], ids=str)
def test_input_gradients_are_autograds_and_so_are_theirs(options: dict[str, object]) -> None:
    shape = (1, 8, 8) if "kind" in options else (6,)
    network = critics(shape, **options)  # type: ignore[arg-type]
    x = torch.randn(4, *shape, dtype=torch.float64)
    weights = torch.rand(4, 3, dtype=torch.float64)
    found = []
    for found_by in (network.input_gradient, partial(double_backward, network)):
        gradient = found_by(x, weights)
        gradients = torch.autograd.grad(
            (gradient.flatten(1).norm(dim=1) - 1).square().mean(), list(network.parameters()),
            allow_unused=True,
        )
        found.append([gradient, *(torch.zeros(()) if g is None or not g.any() else g
                                  for g in gradients)])
    for ours, theirs in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs, check_dtype=False)


def test_own_critics_are_separate_networks() -> None:
    network = critics((6,))
    assert isinstance(network, SeparateCritics)
    x = torch.randn(4, 6, dtype=torch.float64)
    scores = network(x)
    stacked = [layer for layer in [*network.trunk, network.head] if hasattr(layer, "weight")]
    for c in range(3):
        h = x
        for number, layer in enumerate(stacked):
            h = h @ layer.weight[c] + layer.bias[c]  # type: ignore[index, union-attr]
            h = h if number == len(stacked) - 1 else h.relu()
        torch.testing.assert_close(scores[:, c], h[:, 0])


@pytest.mark.parametrize("activation", ["relu", "leaky_relu"])
@pytest.mark.parametrize(
    ("classes", "condition"), [(0, ""), (2, "concatenate"), (2, "projection")]
)
def test_the_input_gradient_of_one_critic(
    activation: str, classes: int, condition: str
) -> None:
    torch.manual_seed(0)
    network = critic_network(
        Backbone("mlp", (2, 3, 3), [7, 5], 4, activation),
        classes=classes, condition=condition or "concatenate",
    ).double()
    assert isinstance(network, Critic)
    assert network.piecewise_linear
    x = torch.randn(4, 2, 3, 3, dtype=torch.float64)
    labels = torch.tensor([0, 1, 1, 0]) if classes else None
    points = x.clone().requires_grad_()
    (expected,) = torch.autograd.grad(network(points, labels).sum(), points, create_graph=True)
    gradient = network.input_gradient(x, labels)
    torch.testing.assert_close(gradient, expected)
    pairs = [
        torch.autograd.grad(value.square().sum(), network.trunk[1].weight)[0]  # type: ignore[index]
        for value in (gradient, expected)
    ]
    torch.testing.assert_close(*pairs)


def test_other_networks_have_no_closed_form() -> None:
    for norm in ("batch", "layer"):
        network = critic_network(Backbone("mlp", (2,), [7, 5], 4), norm=norm)
        assert not network.piecewise_linear
    assert not is_piecewise_linear(nn.Sequential(nn.Linear(2, 2), nn.Tanh()))
