"""Critics of every kind, with and without labels."""

from __future__ import annotations

import pytest
import torch

from genbench.nets.critic import Critic, critic_network

KINDS = [("mlp", (2,)), ("mlp", (1, 8, 8)), ("dcgan", (3, 16, 16))]


def make(kind: str, shape: tuple[int, ...], **options: object) -> Critic:
    settings = {"widths": [8, 8], "channels": 4, "norm": "none", **options}
    torch.manual_seed(0)
    return critic_network(kind, shape, **settings)  # type: ignore[arg-type]


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
