"""Objectives of a generator with an encoder."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.nn.functional import softplus

from genbench.data.space import Space
from genbench.models.autoencoder import Autoencoder
from genbench.noise import Noise
from genbench.objectives._distances import mmd_squared
from genbench.objectives.base import Batch
from genbench.objectives.bigan import BiGAN
from genbench.objectives.mode_regularised import ModeRegularised
from genbench.objectives.wae_gan import WAEGAN
from genbench.objectives.wae_mmd import WAEMMD

SPACE = Space("points", (2,))
NOISE = Noise(3)


def make(kind: type, encoder: str = "deterministic", **options: Any) -> tuple[Any, Any, Batch]:
    torch.manual_seed(0)
    model = Autoencoder(SPACE, latent=3, widths=[8], encoder=encoder)
    if "critic" in kind.plays:
        options["critic_widths"] = [8]
    return model, kind(model, **options), Batch(Noise(1).normal("x", 6, 2))


def test_bigan_by_hand() -> None:
    model, objective, batch = make(BiGAN)
    z = NOISE.normal("z", 6, 3)
    data = objective.pair_score(batch.x, model.encode(batch.x))
    samples = objective.pair_score(model.decode(z), z)
    critic = objective.loss("critic", model, batch, NOISE)["non_saturating"]
    torch.testing.assert_close(critic, softplus(-data).mean() + softplus(samples).mean())
    pair = objective.loss("model", model, batch, NOISE)["non_saturating"]
    torch.testing.assert_close(pair, softplus(data).mean() + softplus(-samples).mean())
    minimax = make(BiGAN, loss="minimax")
    torch.testing.assert_close(
        minimax[1].loss("model", minimax[0], batch, NOISE)["minimax"], -critic
    )


def test_bigan_trains_generator_and_encoder() -> None:
    model, objective, batch = make(BiGAN)
    sum(objective.loss("model", model, batch, NOISE).values()).backward()
    for part in (model.up, model.down):
        assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in part.parameters())
    model.zero_grad()
    sum(objective.loss("critic", model, batch, NOISE).values()).backward()
    assert all(p.grad is None for p in model.parameters())


def test_wae_gan_by_hand() -> None:
    model, objective, batch = make(WAEGAN, penalty_weight=7.0)
    codes = model.encode(batch.x)
    prior = NOISE.normal("prior", 6, 3)
    score = objective.network(codes).squeeze(1)
    terms = objective.loss("model", model, batch, NOISE)
    cost = (model.decode(codes) - batch.x).square().sum(1).mean()
    torch.testing.assert_close(terms["cost"], cost)
    torch.testing.assert_close(terms["codes"], 7 * softplus(-score).mean())
    critic = objective.loss("critic", model, batch, NOISE)["codes"]
    expected = softplus(-objective.network(prior)).mean() + softplus(score).mean()
    torch.testing.assert_close(critic, expected)
    assert objective.trained_critic(model) is None


def test_wae_mmd_by_hand() -> None:
    model, objective, batch = make(WAEMMD, penalty_weight=7.0, widths=[0.5, 2.0])
    codes = model.encode(batch.x)
    terms = objective.loss("model", model, batch, NOISE)
    apart = mmd_squared(NOISE.normal("prior", 6, 3), codes, [1.5, 6.0])
    torch.testing.assert_close(terms["codes"], 7 * apart)


@pytest.mark.parametrize("kind", [WAEGAN, WAEMMD, BiGAN])
def test_a_random_encoder_is_drawn_from(kind: type) -> None:
    model, objective, batch = make(kind, "gaussian")
    first, again = (objective.loss("model", model, batch, Noise(4)) for _ in range(2))
    other = objective.loss("model", model, batch, Noise(5))
    assert sum(first.values()) == sum(again.values()) != sum(other.values())
    mean, raw = model.down(batch.x).chunk(2, 1)
    noise = Noise(4).child("encoder")
    drawn = mean + torch.exp(5 * torch.tanh(raw / 5)) * noise.normal("code", 6, 3)
    torch.testing.assert_close(model.encode_draw(batch.x, noise), drawn)
    torch.testing.assert_close(model.encode(batch.x), mean)


def test_mode_regularisers_by_hand() -> None:
    model, objective, batch = make(ModeRegularised, rebuild=2.0, mode=3.0)
    again = model.decode(model.encode(batch.x))
    terms = objective.loss("model", model, batch, NOISE)
    torch.testing.assert_close(terms["rebuild"], 2 * (again - batch.x).square().mean())
    torch.testing.assert_close(terms["mode"], 3 * softplus(-objective.score(again)).mean())
    plain = softplus(-objective.score(model.generate(6, NOISE))).mean()
    torch.testing.assert_close(terms["non_saturating"], plain)
