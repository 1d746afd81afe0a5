"""The adversarial objective: who plays, what is refused, and that its losses are pure."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from genbench.data.space import Space
from genbench.errors import GenbenchError
from genbench.models.base import Model
from genbench.models.conditional_generator import ConditionalGenerator
from genbench.models.dcgan import DCGAN
from genbench.models.generator import Generator
from genbench.noise import Noise
from genbench.objectives.adversarial import Adversarial
from genbench.objectives.base import Batch
from genbench.objectives.gan.losses import LOSSES

POINTS = Space("points", (2,))
LABELLED = Space("points", (2,), classes=3)
IMAGES = Space("images", (1, 8, 8), levels=17, low=-1.0, high=1.0)
SMALL: dict[str, Any] = {"critic_widths": [16, 16], "critic_channels": 4}


def make(space: Space = POINTS, **options: Any) -> tuple[Model, Adversarial]:
    torch.manual_seed(0)
    if space.classes:
        model: Model = ConditionalGenerator(space, latent=3, widths=[8])
    else:
        model = Generator(space, latent=3, widths=[8])
    return model, Adversarial(model, **{**SMALL, **options})


def batch(space: Space = POINTS, n: int = 6) -> Batch:
    labels = Noise(1).integers("y", space.classes, n) if space.classes else None
    return Batch(Noise(1).uniform("x", n, *space.shape) * 2 - 1, labels)


def test_the_critic_is_updated_first_and_as_often_as_asked() -> None:
    model, objective = make(critic_steps=5)
    critic, generator = objective.players(model)
    assert (critic.name, critic.times) == ("critic", 5)
    assert (generator.name, generator.times) == ("model", 1)
    assert {id(p) for p in generator.parameters} == {id(p) for p in model.parameters()}
    assert not {id(p) for p in critic.parameters} & {id(p) for p in generator.parameters}


@pytest.mark.parametrize("name", LOSSES)
def test_the_terms_are_the_pair_on_the_critics_scores(name: str) -> None:
    model, objective = make(loss=name)
    noise, data = Noise(3), batch()
    fake = model.generate(6, noise)
    (critic,) = objective.loss("critic", model, data, noise).values()
    expected = LOSSES[name].critic(objective.score(data.x), objective.score(fake))
    torch.testing.assert_close(critic, expected)
    terms = objective.loss("model", model, data, noise)
    scores = objective.score(data.x), objective.score(fake)
    torch.testing.assert_close(terms[name], LOSSES[name].model(*scores))


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_has_an_option_of_its_name(name: str) -> None:
    assert make(loss=name)[1].loss_ == name


def test_gradient_penalty_by_hand() -> None:
    model, objective = make(loss="wasserstein", penalty="gradient", penalty_weight=7.0)
    objective.double()
    model.double()
    noise, data = Noise(3), Batch(batch().x.double())
    terms = objective.loss("critic", model, data, noise)
    fake = model.generate(6, noise).detach()
    penalties = []
    for real, other, share in zip(data.x, fake, noise.uniform("interpolate", 6), strict=True):
        point = (share * real + (1 - share) * other).requires_grad_()
        (gradient,) = torch.autograd.grad(objective.score(point[None]).sum(), point)
        penalties.append((gradient.norm() - 1) ** 2)
    expected = 7 * torch.stack(penalties).mean()
    torch.testing.assert_close(terms["gradient_penalty"], expected)


def test_the_critics_whole_loss_by_finite_differences() -> None:
    model, objective = make(loss="wasserstein", penalty="gradient", critic_widths=[3])
    objective.double()
    model.double()
    data = Batch(batch().x.double())
    head = objective.network.head.weight

    def total() -> Tensor:
        return sum(objective.loss("critic", model, data, Noise(3)).values(), torch.zeros(()))

    (gradient,) = torch.autograd.grad(total(), head)
    for i in range(3):
        ends = []
        for step in (1e-5, -1e-5):
            with torch.no_grad():
                head[0, i] += step
            ends.append(total().item())
            with torch.no_grad():
                head[0, i] -= step
        assert gradient[0, i].item() == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-5)


def test_no_gradient_reaches_the_model_through_the_critics_fakes() -> None:
    model, objective = make(penalty="gradient")
    terms = objective.loss("critic", model, batch(), Noise(3))
    sum(terms.values(), torch.zeros(())).backward()
    assert all(parameter.grad is None for parameter in model.parameters())
    assert all(parameter.grad is not None for parameter in objective.parameters())


@pytest.mark.parametrize("options", [
    {}, {"penalty": "gradient"}, {"spectral": True}, {"critic_norm": "batch"},
    {"critic_norm": "layer", "penalty": "gradient"},
])
@pytest.mark.parametrize("player", ["critic", "model"])
def test_asked_twice_a_loss_has_the_same_bits(player: str, options: dict[str, Any]) -> None:
    model, objective = make(**options)
    first = objective.loss(player, model, batch(), Noise(3))
    second = objective.loss(player, model, batch(), Noise(3))
    assert list(first) == list(second)
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_clipping_follows_the_critics_update_alone() -> None:
    model, objective = make(penalty="clip", clip=0.02)
    before = [p.clone() for p in model.parameters()]
    objective.after_update("model", model, batch(), 0)
    assert max(p.abs().max() for p in objective.parameters()) > 0.02
    objective.after_update("critic", model, batch(), 0)
    assert max(p.abs().max().item() for p in objective.parameters()) == pytest.approx(0.02)
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))


def test_spectral_normalisation_makes_the_critic_1_lipschitz() -> None:
    _, objective = make(spectral=True)
    for _ in range(50):
        objective.after_update("critic", Generator(POINTS), batch(), 0)
    x = torch.randn(64, 2, requires_grad=True)
    (gradient,) = torch.autograd.grad(objective.score(x).sum(), x)
    assert gradient.norm(dim=1).max() <= 1 + 1e-3


def test_the_critic_of_a_conditional_model_sees_the_batchs_labels() -> None:
    model, objective = make(LABELLED)
    data = batch(LABELLED)
    assert data.labels is not None
    other = Batch(data.x, (data.labels + 1) % 3)
    for player in ("critic", "model"):
        first = objective.loss(player, model, data, Noise(3))
        second = objective.loss(player, model, other, Noise(3))
        assert not torch.equal(first["non_saturating"], second["non_saturating"])


def test_an_unconditional_model_learns_from_labelled_data_without_them() -> None:
    torch.manual_seed(0)
    model = Generator(LABELLED, latent=3, widths=[8])
    objective = Adversarial(model, **SMALL)
    data = batch(LABELLED)
    first = objective.loss("critic", model, data, Noise(3))
    second = objective.loss("critic", model, Batch(data.x), Noise(3))
    assert torch.equal(first["non_saturating"], second["non_saturating"])


def test_auto_takes_the_critic_after_the_model() -> None:
    def convolutional(model: Model) -> bool:
        modules = Adversarial(model, **SMALL).network.modules()
        return any(isinstance(module, torch.nn.Conv2d) for module in modules)

    assert convolutional(DCGAN(IMAGES, latent=3, channels=4))
    assert not convolutional(Generator(IMAGES, latent=3, widths=[8]))


@pytest.mark.parametrize(("space", "options", "message"), [
    (POINTS, {"critic": "dcgan"}, "for images"),
    (POINTS, {"penalty": "gradient", "critic_norm": "batch"}, "per example"),
    (POINTS, {"penalty": "clip", "spectral": True}, "use one of them"),
    (POINTS, {"loss": "wassertein"}, "loss"),
    (POINTS, {"critic_stepz": 5}, "critic_stepz"),
    (POINTS, {"critic_steps": 0}, "critic_steps"),
    (POINTS, {"clip": math.inf}, "clip"),
])
def test_what_cannot_be_is_refused_in_one_line(
    space: Space, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(GenbenchError, match=message) as error:
        make(space, **options)
    assert "\n" not in str(error.value)


def test_a_batch_without_labels_is_refused_for_a_conditional_model() -> None:
    model, objective = make(LABELLED)
    with pytest.raises(GenbenchError, match="no labels"):
        objective.loss("critic", model, Batch(batch().x), Noise(3))
