"""Golden values of the loss pairs, worked out by hand, and what theory says of them."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from genbench.data.space import Space
from genbench.errors import PluginError
from genbench.models.generator import Generator
from genbench.noise import Noise
from genbench.objectives.adversarial import Adversarial
from genbench.objectives.base import Batch
from genbench.objectives.gan.losses import LOSSES, pair_of

REAL = torch.tensor([0.0, math.log(3.0)], dtype=torch.float64)  # D = 1/2, 3/4
FAKE = torch.tensor([0.0, -math.log(3.0)], dtype=torch.float64)  # D = 1/2, 1/4

CROSS_ENTROPY = math.log(2) + math.log(4 / 3)
L3 = math.log(3)
GOLDEN = {
    # −½(log ½ + log ¾) for the real half, the same for the fake half
    "minimax": (CROSS_ENTROPY, -CROSS_ENTROPY / 2),
    "non_saturating": (CROSS_ENTROPY, (math.log(2) + math.log(4)) / 2),
    # ½·½(1 + (log 3 − 1)²) + ½·½(log 3)²;  ½·½(1 + (log 3 + 1)²)
    "least_squares": ((1 + (L3 - 1) ** 2 + L3**2) / 4, (1 + (L3 + 1) ** 2) / 4),
    "wasserstein": (-L3, L3 / 2),
    # real: ½(1 + 0), as log 3 > 1; fake: ½(1 + 0)
    "hinge": (1.0, L3 / 2),
    # −½(log 1 − log 3): minus the mean of log D/(1 − D)
    "reverse_kl": (CROSS_ENTROPY, L3 / 2),
}


def test_every_loss_has_a_golden_value() -> None:
    assert set(GOLDEN) == set(LOSSES)


@pytest.mark.parametrize("name", LOSSES)
def test_golden_values(name: str) -> None:
    critic, model = GOLDEN[name]
    assert LOSSES[name].critic(REAL, FAKE).item() == pytest.approx(critic, abs=1e-12)
    assert LOSSES[name].model(FAKE, FAKE).item() == pytest.approx(model, abs=1e-12)


@pytest.mark.parametrize("name", LOSSES)
def test_gradients_by_finite_differences(name: str) -> None:
    real = torch.tensor([-1.7, 0.3, 2.2], dtype=torch.float64, requires_grad=True)
    fake = torch.tensor([-2.1, -0.4, 0.9], dtype=torch.float64, requires_grad=True)
    torch.autograd.gradcheck(LOSSES[name].critic, (real, fake))
    torch.autograd.gradcheck(LOSSES[name].model, (real, fake))


@pytest.mark.parametrize("name", LOSSES)
def test_finite_for_a_critic_that_is_sure(name: str) -> None:
    sure = torch.full((4,), 1e4)
    for value in (LOSSES[name].critic(sure, -sure), LOSSES[name].critic(-sure, sure),
                  LOSSES[name].model(-sure, -sure), LOSSES[name].model(sure, sure)):
        assert value.isfinite()


@pytest.mark.parametrize("name", LOSSES)
def test_the_critic_wants_real_up_and_fake_down_and_the_model_fake_up(name: str) -> None:
    real = torch.zeros(3, requires_grad=True)
    fake = torch.zeros(3, requires_grad=True)
    up, down = torch.autograd.grad(LOSSES[name].critic(real, fake - 0.1), (real, fake))
    if name == "least_squares":  # aims at 0 for fakes, which lie at −0.1
        down = torch.autograd.grad(LOSSES[name].critic(real, fake + 0.1), fake)[0]
    assert (up < 0).all()
    assert (down > 0).all()
    (model,) = torch.autograd.grad(LOSSES[name].model(fake, fake), fake)
    assert (model < 0).all()


def test_minimax_is_minus_the_critics_fake_term() -> None:
    loss = LOSSES["minimax"]
    sure = torch.full((2,), 1e3, dtype=torch.float64)  # its real term is zero
    assert loss.critic(sure, FAKE).item() == pytest.approx(-loss.model(FAKE, FAKE).item())


def test_minimax_and_non_saturating_agree_where_the_critic_is_undecided() -> None:
    def gradient(name: str, score: float) -> float:
        fake = torch.tensor([score], dtype=torch.float64, requires_grad=True)
        return torch.autograd.grad(LOSSES[name].model(fake, fake), fake)[0].item()

    assert gradient("minimax", 0.0) == pytest.approx(gradient("non_saturating", 0.0))
    # d/dc: −D against −(1 − D); with D = 1/101 the one has all but vanished
    assert gradient("minimax", -math.log(100)) == pytest.approx(-1 / 101)
    assert gradient("non_saturating", -math.log(100)) == pytest.approx(-100 / 101)


def test_optimal_critic_gives_the_jensen_shannon_divergence() -> None:
    p = torch.tensor([0.7, 0.2, 0.1], dtype=torch.float64)
    q = torch.tensor([0.1, 0.3, 0.6], dtype=torch.float64)
    score = (p / q).log()  # the logit of D* = p / (p + q)
    loss = LOSSES["minimax"].critic
    # expectations by weights: n copies of a score have its weight
    real = score.repeat_interleave((p * 10).round().long())
    fake = score.repeat_interleave((q * 10).round().long())
    m = (p + q) / 2
    js = ((p * (p / m).log()).sum() + (q * (q / m).log()).sum()) / 2
    assert -loss(real, fake).item() == pytest.approx(-math.log(4) + 2 * js.item())


OWN = """
from torch.nn.functional import softplus

def critic_loss(real, fake):
    return softplus(fake - real).mean()

def model_loss(real, fake):
    return softplus(real - fake).mean()

RELATIVISTIC = (critic_loss, model_loss)
LONELY = critic_loss
"""


def test_a_loss_of_ones_own_compares_real_and_fake_scores(tmp_path: Path) -> None:
    """A relativistic pair by hand: log(1 + e^−d) of the differences d = 0 and 2 log 3."""
    (tmp_path / "own.py").write_text(OWN)
    pair = pair_of(f"{tmp_path / 'own.py'}:RELATIVISTIC")
    critic, model = pair.critic(REAL, FAKE).item(), pair.model(REAL, FAKE).item()
    assert critic == pytest.approx((math.log(2) + math.log(10 / 9)) / 2)
    assert model == pytest.approx((math.log(2) + math.log(10)) / 2)


@pytest.mark.parametrize("options", [
    {}, {"feature_matching": 1.0}, {"critic_norm": "batch"}, {"penalty": "gradient"},
])
def test_the_model_learns_by_it_from_both_scores(tmp_path: Path, options: dict) -> None:
    (tmp_path / "own.py").write_text(OWN)
    torch.manual_seed(0)
    model = Generator(Space("points", (2,)), widths=[8])
    objective = Adversarial(model, loss=f"{tmp_path / 'own.py'}:RELATIVISTIC", **options)
    batch = Batch(Noise(1).normal("x", 6, 2))
    real, fake = objective.score(batch.x), objective.score(model.generate(6, Noise(2)))
    terms = objective.loss("model", model, batch, Noise(2))
    torch.testing.assert_close(
        terms["RELATIVISTIC"], torch.nn.functional.softplus(real - fake).mean()
    )
    terms = objective.loss("critic", model, batch, Noise(2))
    torch.testing.assert_close(
        terms["RELATIVISTIC"], torch.nn.functional.softplus(fake - real).mean()
    )
    assert not objective.pair.probability


def test_what_is_no_pair_is_refused(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(OWN)
    with pytest.raises(PluginError, match="two functions of"):
        pair_of(f"{tmp_path / 'own.py'}:LONELY")
    with pytest.raises(PluginError, match="defines no MISSING"):
        pair_of(f"{tmp_path / 'own.py'}:MISSING")
    with pytest.raises(PluginError, match="there is no file"):
        pair_of(f"{tmp_path / 'other.py'}:PAIR")
