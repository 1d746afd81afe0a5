"""The tricks of adversarial training, each against its definition."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from genbench import lookup
from genbench.data.space import Space
from genbench.errors import GenbenchError
from genbench.models.autoencoder import Autoencoder
from genbench.models.generator import Generator
from genbench.noise import Noise
from genbench.objectives.adversarial import Adversarial
from genbench.objectives.base import Batch
from genbench.objectives.gan.auxiliary import History, InstanceNoise
from genbench.objectives.gan.losses import LOSSES
from genbench.objectives.gan.penalties import around_data
from genbench.objectives.mode_regularised import ModeRegularised

POINTS = Space("points", (2,))


def make(**options: Any) -> tuple[Generator, Adversarial, Batch]:
    torch.manual_seed(0)
    model = Generator(POINTS, latent=3, widths=[8]).double()
    objective = Adversarial(model, **{"critic_widths": [8, 8], **options}).double()
    batch = Batch(Noise(1).normal("x", 6, 2).double())
    objective.prepare(model, lambda n, noise: Batch(noise.normal("d", n, 2).double()), Noise(2))
    return model, objective, batch


def cross_entropy(score: Tensor, target: float) -> Tensor:
    return -(target * score.sigmoid().log() + (1 - target) * (1 - score.sigmoid()).log()).mean()


@pytest.mark.parametrize(("high", "low"), [(0.9, 0.0), (1.0, 0.1), (0.8, 0.3)])
@pytest.mark.parametrize("name", ["minimax", "non_saturating"])
def test_smoothed_targets_are_cross_entropies(name: str, high: float, low: float) -> None:
    real, fake = torch.randn(2, 9, dtype=torch.float64)
    expected = cross_entropy(real, high) + cross_entropy(fake, low)
    assert LOSSES[name].critic(real, fake, high=high, low=low).item() == pytest.approx(
        expected.item()
    )


def test_smoothed_least_squares() -> None:
    real, fake = torch.tensor([0.9, 0.4]), torch.tensor([0.1])
    value = LOSSES["least_squares"].critic(real, fake, high=0.9, low=0.1)
    assert value.item() == pytest.approx(0.25 / 2 / 2)


def test_smoothing_reaches_the_critic_and_not_the_model() -> None:
    model, objective, batch = make(smooth_real=0.1, smooth_fake=0.05)
    noise = Noise(3)
    real, fake = objective.score(batch.x), objective.score(model.generate(6, noise))
    critic = objective.loss("critic", model, batch, noise)["non_saturating"]
    torch.testing.assert_close(critic, cross_entropy(real, 0.9) + cross_entropy(fake, 0.05))
    plain = make()[1].loss("model", model, batch, noise)["non_saturating"]
    assert objective.loss("model", model, batch, noise)["non_saturating"] == plain


@pytest.mark.parametrize("name", ["hinge", "wasserstein"])
@pytest.mark.parametrize("option", ["smooth_real", "smooth_fake"])
def test_smoothing_is_refused_where_there_are_no_targets(name: str, option: str) -> None:
    with pytest.raises(GenbenchError, match="no targets to smooth"):
        make(loss=name, **{option: 0.1})


def test_feature_matching_by_hand() -> None:
    model, objective, batch = make(feature_matching=3.0)
    noise = Noise(3)
    trunk = objective.network.trunk
    apart = trunk(model.generate(6, noise)).mean(0) - trunk(batch.x).mean(0)
    terms = objective.loss("model", model, batch, noise)
    torch.testing.assert_close(terms["feature_matching"], 3 * (apart**2).sum())
    assert "feature_matching" not in objective.loss("critic", model, batch, noise)


def test_feature_matching_is_zero_where_samples_are_the_data() -> None:
    model, objective, batch = make(feature_matching=3.0)
    model.generate = lambda n, noise, labels=None: batch.x  # type: ignore[method-assign]
    assert objective.loss("model", model, batch, Noise(3))["feature_matching"].item() == 0


def test_history_is_the_distance_from_the_mean_of_all_updates() -> None:
    parameter = torch.nn.Parameter(torch.zeros(2, dtype=torch.float64))
    history = History([parameter]).double()
    assert history.distance([parameter]).item() == 0
    path = [torch.tensor([1.0, 0.0]), torch.tensor([3.0, 2.0]), torch.tensor([2.0, 4.0])]
    for place in path:
        parameter.data = place.double()
        history.update([parameter])
    mean = torch.stack(path).mean(0)
    expected = ((path[-1] - mean) ** 2).sum()
    assert history.distance([parameter]).item() == pytest.approx(expected.item())


def test_history_pulls_both_players() -> None:
    model, objective, batch = make(historical_averaging=0.5)
    for player, parameters in (("critic", objective.network), ("model", model)):
        objective.after_update(player, model, batch, 0)
        with torch.no_grad():
            for parameter in parameters.parameters():
                parameter += 0.1
        count = sum(p.numel() for p in parameters.parameters())
        term = objective.loss(player, model, batch, Noise(3))["history"]
        assert term.item() == pytest.approx(0.5 * 0.01 * count)


def test_instance_noise_fades_out() -> None:
    fading, x = InstanceNoise(2.0, 0.5), torch.zeros(20000, 1)
    fading.begin(20)
    for update, expected in ((0, 2.0), (5, 1.0), (10, 0.0), (15, 0.0)):
        fading.at(update)
        assert fading(x, Noise(update)).std().item() == pytest.approx(expected, rel=0.02)
    lasting = InstanceNoise(2.0, 0.0)
    lasting.begin(20)
    lasting.at(1000)
    assert lasting(x, Noise(0)).std().item() == pytest.approx(2.0, rel=0.02)


def test_instance_noise_is_on_data_and_on_samples_and_not_the_same() -> None:
    model, objective, batch = make(instance_noise=1.0)
    seen: list[Tensor] = []
    inner = objective.network.output
    objective.network.output = lambda x, labels=None: seen.append(x) or inner(x, labels)  # type: ignore[method-assign,func-returns-value]
    noise = Noise(3)
    objective.loss("critic", model, batch, noise)
    real, fake = (seen[0] - torch.cat((batch.x, model.generate(6, noise)))).chunk(2)
    assert min(real.abs().min(), fake.abs().min()) > 0
    assert not torch.equal(real, fake)


@pytest.mark.parametrize("options", [
    {"minibatch_features": 4}, {"minibatch_deviation": True}, {"critic_norm": "batch"},
])
def test_what_ties_a_batch_together_never_sees_both_kinds(options: dict[str, Any]) -> None:
    model, objective, batch = make(**options)
    noise = Noise(3)
    fake = model.generate(6, noise)
    expected = LOSSES["non_saturating"].critic(objective.score(batch.x), objective.score(fake))
    torch.testing.assert_close(
        objective.loss("critic", model, batch, noise)["non_saturating"], expected
    )


def test_dragans_points_lie_around_the_data() -> None:
    x = torch.tensor([[0.0], [2.0]], dtype=torch.float64)
    share, offset = torch.tensor([0.25, 1.0]), torch.tensor([[0.5], [0.7]]).double()
    # the deviation of 0 and 2 is 1, so that the perturbed first point is 0.25
    torch.testing.assert_close(
        around_data(x, share, offset), torch.tensor([[0.75 * 0.25], [2.0]], dtype=torch.float64)
    )


@pytest.mark.parametrize("penalty", ["gradient", "dragan", "r1"])
@pytest.mark.parametrize("options", [
    {"critic_norm": "batch"}, {"minibatch_features": 3}, {"minibatch_deviation": True},
])
def test_per_example_penalties_refuse_what_ties_examples(
    penalty: str, options: dict[str, Any]
) -> None:
    with pytest.raises(GenbenchError, match="per example"):
        make(penalty=penalty, **options)


@pytest.mark.parametrize("penalty", ["gradient", "dragan", "r1"])
def test_virtual_batch_norm_goes_with_penalties(penalty: str) -> None:
    model, objective, batch = make(penalty=penalty, critic_norm="virtual", reference=10)
    terms = objective.loss("critic", model, batch, Noise(3))
    assert len(terms) == 2
    alone = torch.cat([objective.score(row[None]) for row in batch.x])
    torch.testing.assert_close(objective.score(batch.x), alone)


def test_the_models_gradient_is_noted_for_a_critic_alone() -> None:
    model, objective, batch = make(critic_only=True, model_gradient=True)
    noted = objective.log("critic", model, batch, Noise(3))["model_gradient"]
    (loss,) = objective.loss("model", model, batch, Noise(3)).values()
    gradients = torch.autograd.grad(loss, list(model.parameters()))
    norm = torch.cat([gradient.flatten() for gradient in gradients]).norm()
    torch.testing.assert_close(noted, norm)
    assert make()[1].log("critic", model, batch, Noise(3)) == {}


@pytest.mark.parametrize(("name", "options"), [
    ("autoencoder", {}), ("mixture", {"components": 2, "component_options": {"couplings": 2}}),
    ("generator_mixture", {}), ("vae", {}),
])
def test_it_is_noted_of_a_model_of_which_samples_use_a_part(
    name: str, options: dict[str, Any]
) -> None:
    model = lookup.load(lookup.describe("model", name))(POINTS, **options)
    objective = Adversarial(model, critic_only=True, model_gradient=True, critic="mlp")
    batch = Batch(Noise(1).normal("x", 6, 2))
    noted = objective.log("critic", model, batch, Noise(3))["model_gradient"]
    sum(objective.loss("model", model, batch, Noise(3)).values()).backward()
    gradients = [p.grad.flatten() for p in model.parameters() if p.grad is not None]
    assert len(gradients) < len(list(model.parameters()))
    torch.testing.assert_close(noted, torch.cat(gradients).norm())


def test_at_the_best_critic_non_saturating_is_kl_less_twice_js() -> None:
    """K1 and K4, on four outcomes: D* = p/(p + q), and ∇E −log D* = ∇[KL(q‖p) − 2 JS(q, p)]."""
    p = torch.tensor([0.1, 0.2, 0.3, 0.4], dtype=torch.float64)
    theta = torch.tensor([0.3, -0.2, 0.5, 0.1], dtype=torch.float64, requires_grad=True)
    q = theta.softmax(0)
    score = torch.zeros(4, dtype=torch.float64, requires_grad=True)
    fixed = q.detach()
    for _ in range(200):  # Newton's method on the critic's loss, which is convex in the logits
        sigma = score.sigmoid()
        gradient = -p * (1 - sigma) + fixed * sigma
        score = (score - gradient / ((p + fixed) * sigma * (1 - sigma))).detach()
    torch.testing.assert_close(score.sigmoid(), p / (p + fixed))
    model = -(q * score.sigmoid().log()).sum()
    middle = (p + q) / 2
    kl = (q * (q / p).log()).sum()
    js = ((p * (p / middle).log()).sum() + (q * (q / middle).log()).sum()) / 2
    torch.testing.assert_close(
        torch.autograd.grad(model, theta, retain_graph=True)[0],
        torch.autograd.grad(kl - 2 * js, theta)[0],
    )
    value = (p * score.sigmoid().log() + fixed * (1 - score.sigmoid()).log()).sum()
    assert value.item() == pytest.approx(2 * js.item() - math.log(4))


@pytest.mark.parametrize("network", ["mlp", "dcgan"])
def test_running_moments_are_those_of_what_is_sampled(network: str) -> None:
    """The codes of data pass through the generator too, and are nothing that is sampled."""
    torch.manual_seed(0)
    space = Space("images", (1, 8, 8), low=-1.0, high=1.0)
    norm = "batch" if network == "mlp" else "none"
    model = Autoencoder(space, latent=3, network=network, widths=[16], channels=4, norm=norm)
    objective = ModeRegularised(model, critic_widths=[8])
    batch = Batch(torch.rand(64, 1, 8, 8) * 2 - 1)
    with torch.no_grad():  # codes of data that lie far from the prior
        model.down[-1].bias += 5  # type: ignore[index]
    model.train()
    for update in range(100):
        objective.loss("critic", model, batch, Noise(1).child(update))
        objective.loss("model", model, batch, Noise(2).child(update))
    sampled = model.generate(2000, Noise(3)).detach()  # with the moments of its batch
    model.eval()
    evaluated = model.generate(2000, Noise(3)).detach()
    assert (sampled - evaluated).square().mean() < 0.01 * sampled.var()
