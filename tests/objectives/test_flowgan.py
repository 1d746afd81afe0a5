"""FlowGAN, a sum of two objectives: without likelihood it is the GAN, with much of it ML."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from genbench.data.space import Space
from genbench.models.base import Model
from genbench.models.mixture import MixtureModel
from genbench.models.nice import NICE
from genbench.noise import Noise
from genbench.objectives.adversarial import Adversarial
from genbench.objectives.base import Batch, Objective
from genbench.objectives.likelihood import Likelihood
from genbench.objectives.sum import WeightedSum

POINTS = Space("points", (2,))
NETS = {"couplings": 2, "widths": [8]}


def models() -> dict[str, Model]:
    torch.manual_seed(0)
    return {
        "flow": NICE(POINTS, **NETS).double(),
        "mixture": MixtureModel(
            POINTS, components=3, component_options=NETS, start="random"
        ).double(),
    }


def gan(model: Model) -> Adversarial:
    torch.manual_seed(1)
    return Adversarial(
        model, loss="wasserstein", penalty="gradient", penalty_weight=0.1, critic_widths=[8, 8]
    ).double()


def gradient(model: Model, terms: list[tuple[float, Objective]]) -> Tensor:
    """The model's gradient of a weighted sum, one flat vector; 0 where a term has none."""
    model.zero_grad()
    x = Noise(5).normal("x", 20, 2).double()
    total, _ = WeightedSum(terms).loss("model", model, Batch(x), Noise(3))
    total.backward()
    return torch.cat([
        torch.zeros(p.numel(), dtype=p.dtype) if p.grad is None else p.grad.flatten()
        for p in model.parameters()
    ])


@pytest.mark.parametrize("name", ["flow", "mixture"])
def test_without_likelihood_it_is_the_gan(name: str) -> None:
    model = models()[name]
    adversarial = gan(model)
    alone = gradient(model, [(1.0, adversarial)])
    torch.testing.assert_close(
        gradient(model, [(1.0, adversarial), (0.0, Likelihood(model))]), alone
    )
    assert alone.abs().sum() > 0
    terms = WeightedSum([(1.0, adversarial), (0.0, Likelihood(model))])
    _, named = terms.loss("model", model, Batch(torch.zeros(4, 2).double()), Noise(3))
    assert set(named) == {"wasserstein", "nll"}  # watched, though it trains nothing
    assert not named["nll"].requires_grad


@pytest.mark.parametrize("name", ["flow", "mixture"])
def test_with_much_likelihood_it_is_maximum_likelihood(name: str) -> None:
    model = models()[name]
    likelihood = Likelihood(model)
    alone = gradient(model, [(1.0, likelihood)])
    much = gradient(model, [(1.0, gan(model)), (1e9, likelihood)]) / 1e9
    torch.testing.assert_close(much, alone, rtol=0, atol=1e-7)
    some = gradient(model, [(1.0, gan(model)), (1.0, likelihood)])
    assert (some - alone).abs().max() > 1e-3


def test_the_weights_of_a_mixture_follow_the_likelihood_alone() -> None:
    model = models()["mixture"]
    assert isinstance(model, MixtureModel)
    gradient(model, [(1.0, gan(model))])
    assert model.logits.grad is None or not model.logits.grad.any()
    both = gradient(model, [(1.0, gan(model)), (2.0, Likelihood(model))])
    assert both.abs().sum() > 0
    mixed = model.logits.grad
    assert mixed is not None
    mixed = mixed.clone()
    gradient(model, [(2.0, Likelihood(model))])
    torch.testing.assert_close(mixed, model.logits.grad)
