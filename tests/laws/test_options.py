"""No option of a model is silent: some value of each changes what is built or drawn.

Found by trying: each option's other values, alone and beside one other value of another option.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import torch

from genbench import lookup
from genbench.errors import GenbenchError
from genbench.models._base import Bound, Density
from genbench.noise import Noise

State = dict[str, Any]
FEW = ("ddpm", "generator", "mixture", "nice", "vae")
"""Whose options the default run tries; the others are slow together."""
OUTSIDE = {"component", "component_options"}  # a part's name and its options


def values(annotation: str, default: Any) -> Iterator[Any]:
    """Other values that an option of this type may have."""
    literal = re.search(r"Literal\[([^\]]*)\]", annotation)
    if literal:
        yield from (v for v in re.findall(r"['\"]([^'\"]+)['\"]", literal[1]) if v != default)
        return
    if annotation.startswith("bool"):
        yield from (v for v in (True, False) if v is not default)
    elif "Widths" in annotation or isinstance(default, list):
        yield [5]
        yield [2, 2]
    elif any(word in annotation for word in ("Count", "Natural", "int")):
        yield from (v for v in (1, 2, 5) if v != default)
    elif any(word in annotation for word in ("Positive", "NonNegative", "Share", "float")):
        yield from (v for v in (0.7, 0.01, 3.0) if v != default)


def trials(component: lookup.Component, own: str) -> Iterator[Mapping[str, Any]]:
    """Settings to try an option under: none, then every other value of every other option."""
    yield {}
    for option in component.options:
        if option.name not in (own, *OUTSIDE):
            for value in values(option.annotation, option.default):
                yield {option.name: value}


def same(one: Any, other: Any) -> bool:
    if isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
        return one.shape == other.shape and torch.equal(one.nan_to_num(7), other.nan_to_num(7))
    return type(one) is type(other) and bool(one == other)


def differs(one: State, other: State) -> bool:
    return one.keys() != other.keys() or not all(same(one[key], other[key]) for key in one)


def of_model(laws: Any, name: str, kind: str, options: Mapping[str, Any]) -> State:
    """All that a model's options decide."""
    bench = laws.bench(name, kind, options)
    model = laws.model(name, bench, options)
    found: State = {"scale": bench.scaling.scale, "dequantise": bench.scaling.dequantise}
    found |= {f"start.{k}": v.clone() for k, v in model.state_dict().items()}
    batch = bench.draw(8, Noise(1))
    if hasattr(model, "initialise"):
        model.initialise(batch.x, Noise(2))
        found |= {f"placed.{k}": v.clone() for k, v in model.state_dict().items()}
    with torch.no_grad():
        for index, parameter in enumerate(model.parameters()):  # what starts at 0 acts later
            parameter += 0.1 * Noise(7).normal(str(index), *parameter.shape)
        found["samples"] = model.train().generate(6, Noise(3), laws.labels(6))
        found["evaluated"] = model.eval().generate(6, Noise(3), laws.labels(6))
        if isinstance(model, Density):
            found["density"] = model.log_prob(batch.x)
        if isinstance(model, Bound):
            found["bound"] = model.log_weights(batch.x, Noise(4), 2)
    return found


CASES = [
    pytest.param(name, option.name, marks=() if name in FEW else pytest.mark.slow)
    for name in lookup.available("model")
    for option in lookup.describe("model", name).options if option.name not in OUTSIDE
]


@pytest.mark.parametrize(("name", "option_name"), CASES)
def test_some_value_of_every_option_changes_something(
    laws: Any, monkeypatch: pytest.MonkeyPatch, name: str, option_name: str
) -> None:
    component = lookup.describe("model", name)
    option = next(o for o in component.options if o.name == option_name)
    small = laws.small
    monkeypatch.setattr(  # what is tried is not made small
        laws, "small", lambda k, n, o=None: {**small(k, n, o), **(o or {})}, raising=False
    )
    for beside in trials(component, option_name):
        for data in component.constants.get("accepts", ("points", "images")):
            try:
                before = of_model(laws, name, data, beside)
            except (GenbenchError, RuntimeError, ValueError):
                continue
            for value in values(option.annotation, option.default):
                try:
                    after = of_model(laws, name, data, {**beside, option_name: value})
                except (GenbenchError, RuntimeError, ValueError):
                    continue
                if differs(before, after):
                    return
    pytest.fail(f"model {name}: no value of {option_name} changes anything")
