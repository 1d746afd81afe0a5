"""PGAN: against WGAN-GP, against a direct sum, and what the posterior may not do."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from genbench.data.space import Space
from genbench.errors import GenbenchError
from genbench.models.mixture import MixtureModel
from genbench.noise import Noise
from genbench.objectives.adversarial import Adversarial
from genbench.objectives.base import Batch
from genbench.objectives.pgan import PGAN

POINTS = Space("points", (2,))
NETS = {"couplings": 2, "widths": [8]}
SIZES = {"critic_widths": [7, 5], "critic_activation": "relu", "penalty_weight": 0.3}


def mixture(components: int = 3) -> MixtureModel:
    torch.manual_seed(0)
    model = MixtureModel(POINTS, components=components, component_options=NETS).double()
    with torch.no_grad():
        model.shift.copy_(2 * torch.randn(components, 2))
        model.logits.copy_(torch.randn(components))
    return model


def make(model: MixtureModel, **options: object) -> PGAN:
    torch.manual_seed(1)
    return PGAN(model, **{**SIZES, **options}).double()


def batch(n: int = 12) -> Batch:
    return Batch(2 * Noise(5).normal("x", n, 2).double())


def total(objective: Adversarial, player: str, model: MixtureModel) -> Tensor:
    return sum(objective.loss(player, model, batch(), Noise(3)).values(), torch.zeros(()))


def test_with_one_component_it_is_wgan_gp() -> None:
    model = mixture(1)
    ours = make(model, bound="none")
    theirs = Adversarial(model, loss="wasserstein", penalty="gradient", **SIZES).double()
    with torch.no_grad():
        for own, other in zip(theirs.parameters(), ours.parameters(), strict=True):
            own.copy_(other[0].t() if own.dim() > 1 else other[0, 0])
    for player in ("critic", "model"):
        first = ours.loss(player, model, batch(), Noise(3))
        second = theirs.loss(player, model, batch(), Noise(3))
        assert first.keys() == second.keys()
        for name, term in first.items():
            torch.testing.assert_close(term, second[name])
    mine = torch.autograd.grad(total(ours, "critic", model), list(ours.parameters()))
    yours = torch.autograd.grad(
        total(theirs, "critic", model), list(theirs.parameters()), allow_unused=True
    )
    for own, other in zip(yours, mine, strict=True):
        expected = other[0].t() if other.shape[1] > 1 else other[0, 0]
        torch.testing.assert_close(own, expected.reshape(own.shape))


def test_the_mixed_critic_is_the_sum_over_components() -> None:
    model = mixture()
    objective = make(model, bound="none")
    x = batch().x
    scores = objective.network(x).detach()
    logs = model.component_log_prob(x).detach()
    weights = model.mixture_log_weights().detach()
    critic = objective.trained_critic(model)
    assert critic is not None
    scored = critic.score(x).detach()
    for row in range(len(x)):
        joint = [float((logs[row, c] + weights[c]).exp()) for c in range(3)]
        expected = sum(joint[c] / sum(joint) * float(scores[row, c]) for c in range(3))
        assert float(scored[row]) == pytest.approx(expected)
    fake = model.generate(12, Noise(3))
    terms = objective.loss("critic", model, batch(), Noise(3))
    gap = objective.mixed(model, fake).mean() - objective.mixed(model, x).mean()
    torch.testing.assert_close(terms["wasserstein"], gap)


@pytest.mark.parametrize("assignment", ["posterior", "hard"])
def test_the_posterior_carries_no_gradient(assignment: str) -> None:
    """Finite differences of the loss with the posterior frozen give the gradient."""
    model = mixture()
    objective = make(model, assignment=assignment)
    fake = model.generate(12, Noise(3)).detach()
    frozen = objective.responsibilities(model, fake)
    logits = model.logits

    (moved,) = torch.autograd.grad(
        total(objective, "model", model), logits, allow_unused=True, materialize_grads=True
    )
    assert not moved.any()
    with torch.no_grad():
        logits += torch.tensor([0.5, -0.5, 0.0])
        if assignment == "posterior":  # the weights do move the loss: the gradient is cut
            assert not torch.allclose(objective.responsibilities(model, fake), frozen)
        logits -= torch.tensor([0.5, -0.5, 0.0])
    point = fake.clone().requires_grad_()
    (slope,) = torch.autograd.grad(objective.mixed(model, point).sum(), point)
    step = 1e-6
    for d in range(2):
        ends = [
            (frozen * objective.network(fake + sign * step * torch.eye(2).double()[d])).sum(1)
            for sign in (1, -1)
        ]
        expected = (ends[0] - ends[1]) / (2 * step)
        torch.testing.assert_close(slope[:, d], expected, atol=1e-7, rtol=0)


def test_a_cold_posterior_assigns_hard() -> None:
    model = mixture()
    x = batch(50).x
    cold = make(model, temperature=1e-6).responsibilities(model, x)
    joint = model.component_log_prob(x) + model.mixture_log_weights()
    assert torch.equal(cold.argmax(1), joint.argmax(1))
    torch.testing.assert_close(cold.max(1).values, torch.ones(50).double())
    hot = make(model, temperature=1e6).responsibilities(model, x)
    torch.testing.assert_close(hot, torch.full_like(hot, 1 / 3), atol=1e-4, rtol=0)
    hard = make(model, assignment="hard").responsibilities(model, x)
    assert torch.equal(hard.argmax(1), model.component_log_prob(x).argmax(1))
    assert torch.equal(hard.sum(1), torch.ones(50).double())


def lifted(bound: str, lift: float, drift: float = 0.0) -> dict[str, float]:
    """The critic's terms with a constant added to one component's critic."""
    model = mixture()
    objective = make(model, bound=bound, drift=drift)
    with torch.no_grad():
        objective.network.head.bias[1] += lift  # type: ignore[index, union-attr]
    terms = objective.loss("critic", model, batch(), Noise(3))
    return {name: term.item() for name, term in terms.items()}


def test_a_constant_is_free_in_the_thesiss_form_and_held_in_the_bounded_ones() -> None:
    rest, one, ten = (lifted("none", lift) for lift in (0.0, 1.0, 10.0))
    change = one["wasserstein"] - rest["wasserstein"]
    assert abs(change) > 0.01
    assert ten["wasserstein"] - rest["wasserstein"] == pytest.approx(10 * change)
    assert ten["gradient_penalty"] == pytest.approx(rest["gradient_penalty"])
    assert lifted("centre", 10.0) == pytest.approx(lifted("centre", 0.0))
    assert lifted("drift", 100.0, 0.1)["drift"] > 100 * abs(change)


@pytest.mark.parametrize(("options", "says"), [
    ({"spectral": True}, "spectral"), ({"critic_norm": "layer"}, "critic_norm"),
    ({"critic": "dcgan", "shared_trunk": True}, "dcgan is for images"),
    ({"bound": "drift", "drift": 0}, "bounds nothing"),
])
def test_bad_options_are_refused(options: dict[str, object], says: str) -> None:
    with pytest.raises(GenbenchError, match=says):
        make(mixture(), **options)


def test_other_penalties_are_of_the_mixed_critic_too() -> None:
    """R1 by autograd, with the posterior a constant."""
    model = mixture()
    objective = make(model, penalty="r1")
    x = batch().x.requires_grad_()
    (gradient,) = torch.autograd.grad(objective.mixed(model, x).sum(), x)
    terms = objective.loss("critic", model, batch(), Noise(3))
    torch.testing.assert_close(terms["r1"], 0.3 * gradient.square().sum(1).mean() / 2)
    assert "gradient_penalty" not in terms
