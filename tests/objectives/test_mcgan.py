"""McGAN: what its critic may be, and what it gains by learning its directions."""

from __future__ import annotations

import pytest
import torch

from genbench.data.space import Space
from genbench.errors import GenbenchError
from genbench.models.generator import Generator
from genbench.noise import Noise
from genbench.objectives.base import Batch
from genbench.objectives.mcgan import McGAN

SPACE = Space("points", (2,))


def made(**options) -> tuple[Generator, McGAN]:
    torch.manual_seed(0)
    model = Generator(SPACE, latent=3, widths=[8])
    return model, McGAN(model, critic_widths=[16], **options)


def test_the_critic_is_brought_back_after_its_moves_and_only_then() -> None:
    model, objective = made(features=6, rank=3, clip=0.05)
    batch = Batch(Noise(1).normal("x", 5, 2))

    def spoil() -> None:
        with torch.no_grad():
            for i, parameter in enumerate(objective.parameters()):
                parameter += Noise(2).normal(str(i), *parameter.shape)

    spoil()
    before = [p.clone() for p in objective.parameters()]
    objective.after_update("model", model, batch, 0)
    assert all(torch.equal(a, b) for a, b in zip(before, objective.parameters(), strict=True))
    sides = objective.left.clone()
    objective.after_update("critic", model, batch, 0)
    assert all(p.abs().max() <= 0.05 for p in objective.network.parameters())
    assert objective.direction.norm().item() == pytest.approx(1)
    for columns in (objective.left, objective.right):
        torch.testing.assert_close(columns.t() @ columns, torch.eye(3), atol=1e-6, rtol=0)
    assert (objective.left * sides).sum(0).min() > 0  # no column changed its side
    kept = objective.left.clone()
    objective.after_update("critic", model, batch, 1)
    torch.testing.assert_close(objective.left, kept)


def test_a_direction_inside_the_ball_stays() -> None:
    model, objective = made()
    with torch.no_grad():
        objective.direction.mul_(0.3)
    short = objective.direction.clone()
    objective.retract()
    assert torch.equal(objective.direction, short)
    assert model.latent == 3


def test_the_terms_asked_for_are_those_there_are() -> None:
    batch = Batch(Noise(1).normal("x", 5, 2))
    for match, names in (("mean", {"mean"}), ("covariance", {"covariance"}),
                         ("both", {"mean", "covariance"})):
        model, objective = made(match=match)
        up = objective.loss("critic", model, batch, Noise(3))
        down = objective.loss("model", model, batch, Noise(3))
        assert set(up) == names
        for name in names:
            torch.testing.assert_close(down[name], -up[name])


def test_more_ranks_than_features_are_refused() -> None:
    with pytest.raises(GenbenchError, match="fewer features than the rank; lower"):
        made(features=4, rank=9)
