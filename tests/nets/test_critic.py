"""Critics of every kind, with and without labels."""

from __future__ import annotations

import pytest
import torch

from genbench.nets.critic import Backbone, Critic, critic_network

KINDS = [("mlp", (2,)), ("mlp", (1, 8, 8)), ("dcgan", (3, 16, 16))]


def make(kind: str, shape: tuple[int, ...], **options: object) -> Critic:
    widths = options.pop("widths", [8, 8])
    torch.manual_seed(0)
    backbone = Backbone(kind, shape, widths, channels=4)  # type: ignore[arg-type]
    return critic_network(backbone, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(("kind", "shape"), KINDS)
@pytest.mark.parametrize("norm", ["none", "batch", "layer"])
def test_one_score_for_each_example(kind: str, shape: tuple[int, ...], norm: str) -> None:
    assert make(kind, shape, norm=norm)(torch.randn(5, *shape)).shape == (5,)


@pytest.mark.parametrize(("kind", "shape"), KINDS)
@pytest.mark.parametrize("condition", ["concatenate", "projection"])
def test_labels_matter_to_a_conditional_critic(
    kind: str, shape: tuple[int, ...], condition: str
) -> None:
    critic = make(kind, shape, classes=3, condition=condition)
    x = torch.randn(1, *shape).expand(3, *shape)
    scores = critic(x, torch.arange(3))
    assert scores.unique().numel() == 3


@pytest.mark.parametrize(("kind", "shape"), KINDS)
def test_labels_do_not_matter_to_an_unconditional_one(kind: str, shape: tuple[int, ...]) -> None:
    critic = make(kind, shape)
    x = torch.randn(4, *shape)
    assert torch.equal(critic(x, torch.tensor([0, 1, 2, 0])), critic(x))


def test_projection_is_the_inner_product_with_the_features() -> None:
    critic = make("mlp", (2,), classes=3, condition="projection")
    x, labels = torch.randn(4, 2), torch.tensor([2, 0, 1, 2])
    assert critic.embedding is not None
    features = critic.trunk(x)
    expected = critic.head(features)[:, 0] + torch.einsum(
        "bf,bf->b", critic.embedding.weight[labels], features
    )
    torch.testing.assert_close(critic(x, labels), expected)


def test_a_fully_connected_critic_is_told_the_class_once() -> None:
    """One number a class, not as many equal planes as there are pixels."""
    critic = make("mlp", (1, 8, 8), classes=10)
    assert critic.trunk[1].in_features == 64 + 10  # type: ignore[index,union-attr]
    seen: list[torch.Tensor] = []
    critic.trunk.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    x = torch.randn(2, 1, 8, 8)
    critic(x, torch.tensor([3, 0]))
    torch.testing.assert_close(seen[0], torch.cat((x.flatten(1), torch.eye(10)[[3, 0]]), 1))


@pytest.mark.parametrize("condition", ["concatenate", "projection"])
def test_the_closed_gradient_of_a_conditional_critic_of_images(condition: str) -> None:
    critic = make("mlp", (1, 8, 8), classes=3, condition=condition)
    x, labels = torch.randn(5, 1, 8, 8, requires_grad=True), torch.tensor([0, 1, 2, 1, 0])
    (expected,) = torch.autograd.grad(critic(x, labels).sum(), x)
    torch.testing.assert_close(critic.input_gradient(x.detach(), labels), expected)


def test_a_projection_does_not_drown_the_score_at_the_start() -> None:
    """The labels' part of the score is no larger than what the critic makes of the data alone."""
    torch.manual_seed(0)
    critic = make("mlp", (1, 28, 28), classes=10, condition="projection", widths=[256, 256])
    x, labels = torch.rand(500, 1, 28, 28) * 2 - 1, torch.arange(500) % 10
    alone = critic.output(x).score
    assert (critic(x, labels) - alone).std() < 0.5


def test_scores_are_of_full_precision_under_autocast() -> None:
    critic = make("mlp", (2,))
    with torch.autocast("cpu", torch.bfloat16):
        assert critic(torch.randn(4, 2)).dtype == torch.float32
