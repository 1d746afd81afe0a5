"""Critics that also read classes or codes."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch.nn.functional import cross_entropy

from genbench.data.space import Space
from genbench.errors import GenbenchError
from genbench.models.coded_generator import CodedGenerator
from genbench.models.conditional_generator import ConditionalGenerator
from genbench.models.generator import Generator
from genbench.noise import Noise
from genbench.objectives.auxiliary_classifier import AuxiliaryClassifier
from genbench.objectives.base import Batch
from genbench.objectives.class_adversarial import ClassAdversarial
from genbench.objectives.gan.losses import LOSSES
from genbench.objectives.infogan import InfoGAN
from genbench.objectives.infogan_semi import InfoGANSemi

SPACE = Space("points", (2,), classes=3)
CRITIC: dict[str, Any] = {"critic_widths": [8, 8]}


def batch(n: int = 6) -> Batch:
    return Batch(Noise(1).normal("x", n, 2), torch.arange(n) % 3)


def test_acgan_names_both_and_its_critic_sees_no_label() -> None:
    torch.manual_seed(0)
    model = ConditionalGenerator(SPACE, latent=3, widths=[8])
    objective = AuxiliaryClassifier(model, **CRITIC, class_weight=2.0)
    data, noise = batch(), Noise(3)
    terms = objective.loss("critic", model, data, noise)
    fake = model.generate(6, noise, data.labels)
    trunk, head = objective.network.trunk, objective.classifier
    torch.testing.assert_close(
        terms["class_real"], 2 * cross_entropy(head(trunk(data.x)), data.labels)
    )
    named = 2 * cross_entropy(head(trunk(fake)), data.labels)
    torch.testing.assert_close(terms["class_fake"], named)
    torch.testing.assert_close(objective.loss("model", model, data, noise)["class_fake"], named)
    assert objective.trained_critic(model) is not None
    other = Batch(data.x, (data.labels + 1) % 3)
    assert torch.equal(
        objective.output(data.x, data.labels, noise).score,
        objective.output(data.x, other.labels, noise).score,
    )


def test_c_plus_one_classes_are_a_softmax_with_a_fixed_logit() -> None:
    torch.manual_seed(0)
    model = Generator(SPACE, latent=3, widths=[8])
    objective = ClassAdversarial(model, **CRITIC)
    data, noise = batch(), Noise(3)
    fake = model.generate(6, noise)

    def chances(x):
        logits = objective.network.output(x).logits
        return torch.cat((logits, torch.zeros(len(x), 1)), 1).softmax(1)

    real = chances(data.x)
    among = real[:, :3] / real[:, :3].sum(1, keepdim=True)
    expected = -among.gather(1, data.labels[:, None]).log().mean()
    expected = expected - (1 - real[:, 3]).log().mean() - chances(fake)[:, 3].log().mean()
    total = sum(objective.loss("critic", model, data, noise).values())
    torch.testing.assert_close(total, expected)


def coded(**options: Any) -> tuple[CodedGenerator, Any]:
    torch.manual_seed(0)
    model = CodedGenerator(SPACE, categories=[3, 4], continuous=2, latent=3, widths=[8])
    kind = options.pop("kind", InfoGAN)
    return model, kind(model, **CRITIC, head_width=5, **options)


def test_codes_are_uniform_and_part_of_the_sample() -> None:
    model, _ = coded()
    codes = model.draw_codes(9000, Noise(0))
    assert codes.shape == (9000, 4)
    for k, values in enumerate(model.categories):
        shares = torch.bincount(codes[:, k].long(), minlength=values) / 9000
        assert (shares - 1 / values).abs().max() < 0.02
    numbers = codes[:, 2:]
    assert numbers.abs().max() <= 1
    assert numbers.var().item() == pytest.approx(1 / 3, abs=0.01)
    few = codes[:5].clone()
    x = model.generate_from_codes(few, Noise(1))
    for column in range(4):
        changed = few.clone()
        changed[:, column] = 1 - changed[:, column].clamp(max=1)
        assert not torch.equal(model.generate_from_codes(changed, Noise(1)), x)


def test_what_q_reads_by_hand() -> None:
    model, objective = coded()
    codes = model.draw_codes(5, Noise(0))
    features = torch.randn(5, 8)
    read = objective.reader(features)
    categorical, continuous = objective.heads[0].log_prob(features, codes)
    expected = (
        read[:, :3].log_softmax(1).gather(1, codes[:, :1].long())
        + read[:, 3:7].log_softmax(1).gather(1, codes[:, 1:2].long())
    ).squeeze(1)
    torch.testing.assert_close(categorical, expected)
    normal = torch.distributions.Normal(read[:, 7:9], (5 * torch.tanh(read[:, 9:] / 5)).exp())
    torch.testing.assert_close(continuous, normal.log_prob(codes[:, 2:]).sum(1))


def test_both_players_minimise_what_is_not_read() -> None:
    model, objective = coded(code_weight=2.0, code_weight_continuous=0.5)
    data, noise = batch(), Noise(3)
    codes = model.draw_codes(6, noise)
    x = model.generate_from_codes(codes, noise)
    categorical, continuous = objective.heads[0].log_prob(objective.network.trunk(x), codes)
    for player in ("critic", "model"):
        terms = objective.loss(player, model, data, noise)
        torch.testing.assert_close(terms["code"], -2 * categorical.mean())
        torch.testing.assert_close(terms["code_continuous"], -0.5 * continuous.mean())


def test_the_bound_is_zero_for_a_q_that_knows_nothing_but_the_prior_of_categories() -> None:
    torch.manual_seed(0)
    model = CodedGenerator(SPACE, categories=[3, 4], continuous=0, latent=3, widths=[8])
    objective = InfoGAN(model, **CRITIC)
    with torch.no_grad():
        for parameter in objective.reader.parameters():
            parameter.zero_()
    codes = model.draw_codes(7, Noise(0))
    x = model.generate_from_codes(codes, Noise(0))
    bound = objective.trained_critic(model).information(x, codes)
    torch.testing.assert_close(bound, torch.zeros(7))
    assert objective.heads[0].prior_entropy() == pytest.approx(math.log(12))


def test_the_bound_is_of_what_the_critic_sees_of_images_under_virtual_batch_norm() -> None:
    torch.manual_seed(0)
    space = Space("images", (1, 8, 8), low=-1.0, high=1.0)
    model = CodedGenerator(space, categories=[3], continuous=0, latent=3, widths=[8])
    objective = InfoGAN(model, **CRITIC, critic_norm="virtual", reference=4)
    rows = Noise(8).uniform("x", 4, 1, 8, 8)
    objective.prepare(model, lambda n, noise: Batch(rows[:n]), Noise(0))
    codes = model.draw_codes(5, Noise(0))
    x = model.generate_from_codes(codes, Noise(0))
    bound = objective.trained_critic(model).information(x, codes)
    read = objective.reader(objective.network.output(x).features).log_softmax(1)
    expected = read.gather(1, codes.long()).squeeze(1) + math.log(3)
    torch.testing.assert_close(bound, expected)


def test_semi_supervision_uses_a_fixed_draw_of_labels() -> None:
    model, objective = coded(kind=InfoGANSemi, labels=4, supervision=3.0)
    rows = Batch(Noise(8).normal("x", 4, 2), torch.tensor([0, 1, 2, 1]))
    objective.prepare(model, lambda n, noise: Batch(rows.x[:n], rows.labels[:n]), Noise(0))
    noise = Noise(3)
    term = objective.loss("critic", model, batch(), noise)["supervision"]
    index = noise.integers("labelled", 4, 4)
    logits = objective.reader(objective.network.trunk(rows.x[index]))[:, :3]
    torch.testing.assert_close(term, 3 * cross_entropy(logits, rows.labels[index]))
    assert "supervision" not in objective.loss("model", model, batch(), noise)
    state = objective.state_dict()
    assert torch.equal(state["known_y"], rows.labels)


def test_semi_supervision_wants_a_code_for_the_classes() -> None:
    model = CodedGenerator(SPACE, categories=[4], continuous=0, widths=[8])
    with pytest.raises(GenbenchError, match=r"give the model categories: \[3\]"):
        InfoGANSemi(model, **CRITIC)


def test_no_code_at_all_is_refused() -> None:
    with pytest.raises(GenbenchError, match="there is no code"):
        CodedGenerator(SPACE, categories=[], continuous=0)


def test_the_loss_pair_is_that_of_the_plain_game() -> None:
    model, objective = coded(loss="hinge")
    data, noise = batch(), Noise(3)
    fakes = objective.draw_fakes(model, data, noise)
    expected = LOSSES["hinge"].critic(objective.score(data.x), objective.score(fakes.x))
    torch.testing.assert_close(objective.loss("critic", model, data, noise)["hinge"], expected)
