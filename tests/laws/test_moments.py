"""The running moments of a model's batch norm are those of what it is sampled from at the end."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from genbench import lookup
from genbench.models.base import Encoder
from genbench.noise import Noise
from genbench.suites.parts import lacking

EXEMPT = {"wae_gan", "wae_mmd", "latent_spread"}
"""The first two teach the decoder on the data's codes and on nothing else, whose moments it then
keeps (on digits FID 4.2 to 6.3; with the prior's 0.1 more); the last never runs the network."""
MODELS = {
    name: {"network": "dcgan"} for name in lookup.available("model")
    if any("dcgan" in option.annotation for option in lookup.describe("model", name).options)
} | {"dcgan": {}, "conditional_dcgan": {}}
CELLS = [
    (objective, model)
    for objective in lookup.available("objective") if objective not in EXEMPT
    for model in MODELS
    if not lacking(lookup.describe("objective", objective), lookup.describe("model", model))
]


@pytest.mark.sweep("objective_name")
@pytest.mark.parametrize(("objective_name", "model_name"), CELLS)
def test_training_counts_what_is_sampled_alone(
    laws: Any, objective_name: str, model_name: str
) -> None:
    bench = laws.bench(model_name, "images", MODELS[model_name])
    model = laws.model(model_name, bench, MODELS[model_name]).train()
    objective = laws.objective(objective_name, model)
    objective.prepare(model, bench.draw, Noise(5))
    norms = [m for m in model.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    assert norms
    if isinstance(model, Encoder):  # codes of data that are far from the prior
        torch.nn.init.constant_(list(model.down.children())[-1].bias, 500.0)
    found = []
    for player in objective.plays:
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # the plain mean of all batches
        for step in range(30):
            objective.loss(player, model, bench.draw(8, Noise(step)), Noise(9).child(step, player))
        if all(int(norm.num_batches_tracked) for norm in norms):
            found.append([norm.running_mean.clone() for norm in norms])
    assert found
    for norm in norms:
        norm.reset_running_stats()
    for step in range(30):
        model.generate(8, Noise(10).child(step), laws.context(model, 8))
    for means in found:
        for norm, mean in zip(norms, means, strict=True):
            deviation = norm.running_var.sqrt()
            assert ((mean - norm.running_mean) / deviation).abs().max() < 0.5
