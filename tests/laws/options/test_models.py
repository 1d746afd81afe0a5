"""No option of a model is silent: some value of each changes what is built or drawn."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import pytest
import torch

from genbench import lookup
from genbench.models.base import Bound, Density
from genbench.noise import Noise

FEW = ("ddpm", "generator", "mixture", "nice", "vae")
"""Whose options the default run tries; the others are slow together."""
MORE: Mapping[str, list[Any]] = {
    "component": ["spline", "gaussian"], "component_options": [{"widths": [5]}, {"couplings": 2}],
}
"""Values of options whose type does not say which there are."""


def of_model(laws: Any, name: str, kind: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """All that a model's options decide."""
    bench = laws.bench(name, kind, options)
    model = laws.model(name, bench, options)
    found: dict[str, Any] = {"scale": bench.scaling.scale, "dequantise": bench.scaling.dequantise}
    found |= {f"start.{k}": v.clone() for k, v in model.state_dict().items()}
    batch = bench.draw(8, Noise(1))
    if hasattr(model, "initialise"):
        model.initialise(batch.x, Noise(2))
        found |= {f"placed.{k}": v.clone() for k, v in model.state_dict().items()}
    with torch.no_grad():
        for index, parameter in enumerate(model.parameters()):  # what starts at 0 acts later
            parameter += 0.1 * Noise(7).normal(str(index), *parameter.shape)
        found["samples"] = model.train().generate(6, Noise(3), laws.context(model, 6))
        found["evaluated"] = model.eval().generate(6, Noise(3), laws.context(model, 6))
        if isinstance(model, Density):
            found["density"] = model.log_prob(batch.x)
        if isinstance(model, Bound):
            found["bound"] = model.log_weights(batch.x, Noise(4), 2)
    return found


CASES = [
    pytest.param(name, option.name, marks=() if name in FEW else pytest.mark.slow)
    for name in lookup.available("model") for option in lookup.describe("model", name).options
]


@pytest.mark.parametrize(("name", "option"), CASES)
def test_some_value_of_every_option_changes_something(
    laws: Any, options: Any, name: str, option: str
) -> None:
    component = lookup.describe("model", name)
    grounds = {
        kind: partial(of_model, laws, name, kind)
        for kind in component.constants.get("accepts", ("points", "images"))
    }
    why = options.silent(component, option, grounds, MORE)
    if why:
        pytest.fail(f"model {name}: {why}")
