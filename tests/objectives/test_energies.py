"""EBGAN and BEGAN: energies, the pulling-away term, the equilibrium."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from genbench.data.space import Space
from genbench.models.generator import Generator
from genbench.noise import Noise
from genbench.objectives.base import Batch
from genbench.objectives.began import BEGAN
from genbench.objectives.ebgan import EBGAN, pulling_away

SPACE = Space("points", (2,))


def make(kind: type, **options: Any) -> tuple[Generator, Any, Batch]:
    torch.manual_seed(0)
    model = Generator(SPACE, latent=3, widths=[8])
    return model, kind(model, critic_widths=[8], code=3, **options), Batch(
        Noise(1).normal("x", 6, 2)
    )


def test_pulling_away_by_hand() -> None:
    codes = torch.tensor([[1.0, 0.0], [2.0, 2.0], [0.0, -3.0]])
    # cosines: ½√2, 0, −½√2; each pair is there twice among the six
    assert pulling_away(codes).item() == pytest.approx(2 * (0.5 + 0 + 0.5) / 6)
    assert pulling_away(torch.eye(4)).item() == pytest.approx(0)
    assert pulling_away(torch.ones(4, 2)).item() == pytest.approx(1)
    assert pulling_away(torch.ones(1, 2)).item() == 0


def test_ebgan_by_hand() -> None:
    model, objective, batch = make(EBGAN, margin=1.5, pull_away=0.3)
    noise = Noise(3)
    fake = model.generate(6, noise)

    def energy(x):
        return (objective.network(x)[1] - x).square().mean(1)

    critic = objective.loss("critic", model, batch, noise)
    torch.testing.assert_close(critic["energy"], energy(batch.x).mean())
    torch.testing.assert_close(critic["margin"], (1.5 - energy(fake)).clamp(min=0).mean())
    generator = objective.loss("model", model, batch, noise)
    torch.testing.assert_close(generator["energy"], energy(fake).mean())
    codes = objective.network(fake)[0]
    torch.testing.assert_close(generator["pull_away"], 0.3 * pulling_away(codes))


def test_the_margin_leaves_far_samples_alone() -> None:
    model, objective, batch = make(EBGAN, margin=0.01)
    model.generate = lambda n, noise, labels=None: torch.full((n, 2), 50.0)  # type: ignore[method-assign]
    assert objective.loss("critic", model, batch, Noise(0))["margin"].item() == 0


def test_began_by_hand() -> None:
    model, objective, batch = make(BEGAN, diversity=0.7, gain=0.1)
    noise = Noise(3)
    fake = model.generate(6, noise)

    def energy(x):
        return (objective.network(x)[1] - x).abs().mean()

    objective.k.fill_(0.25)
    critic = objective.loss("critic", model, batch, noise)
    real, generated = energy(batch.x), energy(fake)
    torch.testing.assert_close(critic["energy"], real)
    torch.testing.assert_close(critic["boundary"], -0.25 * generated)
    torch.testing.assert_close(objective.loss("model", model, batch, noise)["energy"], generated)
    noted = objective.log("critic", model, batch, noise)
    balance = 0.7 * real - generated
    torch.testing.assert_close(noted["convergence"], (real + balance.abs()).detach())
    assert objective.log("model", model, batch, noise) == {}
    objective.after_update("critic", model, batch, 0)
    torch.testing.assert_close(objective.k, (0.25 + 0.1 * balance).clamp(0, 1).detach())


@pytest.mark.parametrize("energies", [(100.0, 0.0), (0.0, 100.0), (1.0, 0.4)])
def test_k_stays_between_zero_and_one(energies: tuple[float, float]) -> None:
    model, objective, batch = make(BEGAN, gain=0.5)
    objective.energies.copy_(torch.tensor(energies))
    for _ in range(20):
        objective.after_update("critic", model, batch, 0)
        assert 0 <= objective.k.item() <= 1
