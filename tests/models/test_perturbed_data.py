"""A generator that stands still, and a critic trained against it."""

from __future__ import annotations

import pytest
import torch

from genbench.data.space import Space
from genbench.errors import GenbenchError
from genbench.models.perturbed_data import PerturbedData
from genbench.noise import Noise
from genbench.objectives.adversarial import Adversarial
from genbench.objectives.base import Batch

POINTS = Space("points", (2,))


def test_samples_are_rows_with_noise() -> None:
    rows = 10 * torch.arange(8.0).reshape(4, 2)
    model = PerturbedData(POINTS, points=6, noise=0.1)
    model.initialise(rows, Noise(0))
    x = model.generate(5000, Noise(1))
    distance, owner = torch.cdist(x, rows).min(1)
    assert float(distance.max()) < 1
    assert float((x - rows[owner]).std()) == pytest.approx(0.1, rel=0.05)
    shares = torch.bincount(owner, minlength=4) / 5000
    torch.testing.assert_close(
        shares, torch.tensor([2.0, 2.0, 1.0, 1.0]) / 6, atol=0.03, rtol=0
    )
    model.initialise(-rows, Noise(0))
    assert torch.equal(model.rows[:4], rows)


def test_its_critic_plays_alone() -> None:
    model = PerturbedData(POINTS, points=6)
    with pytest.raises(GenbenchError, match="critic_only: true"):
        Adversarial(model)
    objective = Adversarial(model, critic_only=True, loss="wasserstein", penalty="gradient")
    (player,) = objective.players(model)
    assert player.name == "critic"
    objective.prepare(model, lambda n, noise: Batch(torch.ones(n, 2)), Noise(0))
    terms = objective.loss("critic", model, Batch(torch.ones(5, 2)), Noise(0))
    assert set(terms) == {"wasserstein", "gradient_penalty"}


def test_drift_is_the_mean_square_of_real_scores() -> None:
    model = PerturbedData(POINTS, points=6)
    objective = Adversarial(model, critic_only=True, drift=0.5)
    x = torch.randn(7, 2)
    terms = objective.loss("critic", model, Batch(x), Noise(0))
    torch.testing.assert_close(terms["drift"], 0.5 * objective.score(x).square().mean())
