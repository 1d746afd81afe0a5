"""Every game's losses against finite differences, in float64, for both players.

A loss that holds something still on purpose (a posterior, a scale, a plan) is not the gradient of
its value, and is tested where that is defined: `test_pgan`, `test_transport`, `test_distances`.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from genbench import lookup
from genbench.data.space import Space
from genbench.models.base import Model
from genbench.noise import Noise
from genbench.objectives.base import Batch, Objective

SPACE = Space("points", (2,), classes=3)
GENERATOR: dict[str, Any] = {"name": "generator"}
CONDITIONAL: dict[str, Any] = {"name": "conditional_generator"}
CODED: dict[str, Any] = {"name": "coded_generator", "categories": [3], "continuous": 2}
ENCODER: dict[str, Any] = {"name": "autoencoder"}
RANDOM: dict[str, Any] = {"name": "autoencoder", "encoder": "gaussian"}
SMOOTH = {"critic_widths": [6], "critic_activation": "leaky_relu"}
CASES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    *(("adversarial", GENERATOR, {"loss": loss}) for loss in (
        "minimax", "non_saturating", "least_squares", "wasserstein", "hinge"
    )),
    *(("adversarial", GENERATOR, {"penalty": penalty}) for penalty in (
        "gradient", "dragan", "r1"
    )),
    ("adversarial", GENERATOR, {"critic_norm": "virtual", "penalty": "gradient", "reference": 5}),
    ("adversarial", GENERATOR, {"critic_norm": "batch"}),
    ("adversarial", GENERATOR, {"smooth_real": 0.1, "smooth_fake": 0.1}),
    ("adversarial", GENERATOR, {"feature_matching": 1.0}),
    ("adversarial", GENERATOR, {"minibatch_features": 3, "minibatch_deviation": True}),
    ("adversarial", GENERATOR, {"instance_noise": 0.5}),
    ("adversarial", GENERATOR, {"drift": 0.1}),
    ("adversarial", CONDITIONAL, {"penalty": "gradient"}),
    ("adversarial", CONDITIONAL, {"condition": "projection", "penalty": "gradient"}),
    ("auxiliary_classifier", CONDITIONAL, {}),
    ("class_adversarial", GENERATOR, {"penalty": "r1"}),
    ("infogan", CODED, {}),
    ("infogan_semi", CODED, {"labels": 4}),
    ("ebgan", GENERATOR, {}),
    ("began", GENERATOR, {}),
    ("cramer", GENERATOR, {}),
    ("mmd_gan", GENERATOR, {}),
    ("mcgan", GENERATOR, {"rank": 2}),
    ("relaxed_wasserstein", GENERATOR, {}),
    ("mode_regularised", ENCODER, {}),
    ("bigan", RANDOM, {}),
    ("bigan", ENCODER, {"loss": "minimax"}),
    ("wae_gan", RANDOM, {}),
    ("wae_mmd", RANDOM, {}),
    ("mix_gan", {"name": "generator_mixture"}, {"penalty": "gradient"}),
    ("latent_spread", {"name": "deligan"}, {}),
]


def build(name: str, model: dict[str, Any], options: dict[str, Any]) -> tuple[Model, Objective]:
    torch.manual_seed(0)
    about = dict(model)
    cls = lookup.load(lookup.describe("model", about.pop("name")))
    made = cls(SPACE, latent=3, widths=[6], **about).double()
    objective_class = lookup.load(lookup.describe("objective", name))
    known = {option.name for option in lookup.describe("objective", name).options}
    small = {key: value for key, value in SMOOTH.items() if key in known}
    objective = objective_class(made, **small, **options).double()
    objective.prepare(made, draw, Noise(5))
    return made, objective


def draw(n: int, noise: Noise) -> Batch:
    return Batch(noise.normal("data", n, 2).double(), torch.arange(n) % 3)


@pytest.mark.parametrize(("name", "model", "options"), CASES)
def test_gradients(name: str, model: dict[str, Any], options: dict[str, Any]) -> None:
    made, objective = build(name, model, options)
    batch = draw(6, Noise(1))
    for player in objective.players(made):
        parameters = player.parameters

        def total(who: str = player.name) -> Tensor:
            terms = objective.loss(who, made, batch, Noise(2))
            return torch.stack(list(terms.values())).sum()

        slopes = torch.autograd.grad(total(), parameters, allow_unused=True)
        direction = [Noise(7).normal(str(i), *p.shape).double() for i, p in enumerate(parameters)]
        along = sum(
            float((slope * way).sum()) for slope, way in zip(slopes, direction, strict=True)
            if slope is not None
        )
        ends = []
        for step in (1e-6, -1e-6):
            shift(parameters, direction, step)
            ends.append(total().item())
            shift(parameters, direction, -step)
        measured = (ends[0] - ends[1]) / 2e-6
        assert measured == pytest.approx(along, rel=1e-5, abs=1e-7), player.name
        assert abs(along) > 0


@torch.no_grad()
def shift(parameters: list[torch.nn.Parameter], direction: list[Tensor], step: float) -> None:
    for parameter, way in zip(parameters, direction, strict=True):
        parameter += step * way
