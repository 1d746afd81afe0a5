"""MIX+GAN and DeLiGAN."""

from __future__ import annotations

import pytest
import torch

from genbench.data.space import Space
from genbench.models.deligan import DeLiGAN
from genbench.models.generator_mixture import GeneratorMixture
from genbench.noise import Noise
from genbench.objectives.base import Batch
from genbench.objectives.gan.losses import LOSSES
from genbench.objectives.latent_spread import LatentSpread
from genbench.objectives.mix_gan import MixGAN

SPACE = Space("points", (2,))
NOISE = Noise(3)


def game(**options) -> tuple[GeneratorMixture, MixGAN, Batch]:
    torch.manual_seed(0)
    model = GeneratorMixture(SPACE, components=3, latent=2, widths=[8])
    objective = MixGAN(model, critics=2, critic_widths=[8], **options)
    with torch.no_grad():
        model.logits.copy_(torch.tensor([0.0, 1.0, -1.0]))
        objective.logits.copy_(torch.tensor([0.3, -0.4]))
    return model, objective, Batch(Noise(1).normal("x", 6, 2))


def test_the_payoff_by_hand() -> None:
    model, objective, batch = game(loss="hinge", weight_entropy=0.2)
    u, w = objective.logits.softmax(0), model.logits.softmax(0)
    fakes = model.generate_components(2, NOISE)
    critic, generator = 0.0, 0.0
    for i, network in enumerate(objective.networks):
        for j in range(3):
            fake = network(fakes[j])
            critic = critic + u[i] * w[j] * LOSSES["hinge"].critic(network(batch.x), fake)
            generator = generator + u[i] * w[j] * LOSSES["hinge"].model(fake, fake)
    terms = objective.loss("critic", model, batch, NOISE)
    torch.testing.assert_close(terms["hinge"], critic)
    torch.testing.assert_close(terms["weights"], -0.2 * u.log().mean())
    terms = objective.loss("model", model, batch, NOISE)
    torch.testing.assert_close(terms["hinge"], generator)
    torch.testing.assert_close(terms["weights"], -0.2 * w.log().mean())


def test_the_weights_learn_by_the_payoff() -> None:
    model, objective, batch = game(weight_entropy=0.0)
    sum(objective.loss("model", model, batch, NOISE).values()).backward()
    assert model.logits.grad.abs().max() > 0
    sum(objective.loss("critic", model, batch, NOISE).values()).backward()
    assert objective.logits.grad.abs().max() > 0


def test_one_critic_and_one_generator_are_the_plain_game() -> None:
    torch.manual_seed(0)
    model = GeneratorMixture(SPACE, components=1, latent=2, widths=[8])
    objective = MixGAN(model, critics=1, critic_widths=[8], loss="wasserstein", penalty="gradient")
    batch = Batch(Noise(1).normal("x", 6, 2))
    fake = model.generate_components(6, NOISE)[0]
    terms = objective.loss("critic", model, batch, NOISE)
    (network,) = objective.networks
    apart = network(fake).mean() - network(batch.x).mean()
    torch.testing.assert_close(terms["wasserstein"], apart)
    assert terms["gradient_penalty"].item() > 0
    assert terms["weights"].item() == pytest.approx(0, abs=1e-7)


def test_samples_come_from_each_generator_by_its_weight() -> None:
    model, _, _ = game()
    with torch.no_grad():
        for j, net in enumerate(model.nets):
            for parameter in net.parameters():
                parameter.zero_()
            net[0].layers[-1].bias.fill_(float(j))
    shares = torch.bincount(model.generate(6000, Noise(0))[:, 0].long(), minlength=3) / 6000
    torch.testing.assert_close(shares, model.logits.softmax(0).detach(), rtol=0, atol=0.02)


def test_the_latent_of_deligan_is_its_mixture() -> None:
    model = DeLiGAN(SPACE, components=2, latent=2, widths=[8])
    with torch.no_grad():
        model.means.copy_(torch.tensor([[20.0, 0.0], [-20.0, 0.0]]))
        model.scales.copy_(torch.tensor([[-0.5, 1.0], [2.0, 0.1]]))
    model.net = torch.nn.Identity()
    z = model.generate(20000, Noise(0))
    near = z[:, 0] > 0
    for rows, mean, scale in ((z[near], 20, (0.5, 1.0)), (z[~near], -20, (2.0, 0.1))):
        assert len(rows) == pytest.approx(10000, rel=0.05)
        assert rows[:, 0].mean().item() == pytest.approx(mean, abs=0.1)
        for d in range(2):
            assert rows[:, d].std().item() == pytest.approx(scale[d], rel=0.05)


def test_the_spread_by_hand() -> None:
    model = DeLiGAN(SPACE, components=2, latent=2, widths=[8])
    with torch.no_grad():
        model.scales.copy_(torch.tensor([[1.0, -0.5], [0.0, 3.0]]))
    (term,) = LatentSpread(model).loss("model", model, Batch(torch.zeros(1, 2)), NOISE).values()
    assert term.item() == pytest.approx((0 + 0.25 + 1 + 4) / 4)
