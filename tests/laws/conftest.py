"""What the laws share: small data, every component at a small size, and a step of training."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor

from genbench import lookup
from genbench.data.base import Data, Split
from genbench.data.scaling import Scaling, scaling_for
from genbench.models.base import Model
from genbench.noise import Noise
from genbench.objectives.base import Batch, Objective

ROWS = 24
CLASSES = 3
SMALL: dict[str, Any] = {
    "categories": [CLASSES], "channels": 4, "components": 2, "couplings": 2, "critic_channels": 4,
    "critic_widths": [8, 8], "latent": 3, "points": 64, "start_points": 64, "steps": 3,
    "widths": [8, 8],
}
"""Options that make a component small, for those that have them."""


class PrefixNoise(Noise):
    """Noise of which row i of a draw does not depend on how many rows are drawn."""

    LONGEST = 32

    def child(self, *names: object) -> Noise:
        twin = super().child(*names)
        twin.__class__ = PrefixNoise
        return twin

    def normal(self, name: str, *shape: int) -> Tensor:
        return super().normal(name, self.LONGEST, *shape[1:])[: shape[0]]

    def uniform(self, name: str, *shape: int) -> Tensor:
        return super().uniform(name, self.LONGEST, *shape[1:])[: shape[0]]

    def integers(self, name: str, high: int, *shape: int) -> Tensor:
        return super().integers(name, high, self.LONGEST, *shape[1:])[: shape[0]]

    def categorical(self, name: str, probabilities: Tensor, n: int) -> Tensor:
        return super().categorical(name, probabilities, self.LONGEST)[:n]


class Bench:
    """Small labelled data of one kind, on the scale that a model is used with."""

    def __init__(self, kind: str, scale: str, dequantise: bool) -> None:
        noise = Noise(0)
        labels = torch.arange(ROWS) % CLASSES
        if kind == "images":
            x = noise.integers("x", 17, ROWS, 1, 8, 8).to(torch.uint8)
            self.data = Data("images", (1, 8, 8), Split(x, labels), Split(x, labels),
                             classes=CLASSES, levels=17)
        else:
            x = noise.normal("x", ROWS, 2) + 3.0 * labels[:, None]
            self.data = Data("points", (2,), Split(x, labels), Split(x, labels), classes=CLASSES)
        self.scaling: Scaling = scaling_for(self.data, scale, dequantise)
        self.space = self.scaling.space(self.data)

    def draw(self, n: int, noise: Noise) -> Batch:
        """Scaled training data with labels."""
        raw, labels = self.data.draw(n, noise)
        return Batch(self.scaling.forward(raw, noise.child("scaling")), labels)


class Laws:
    """How a law gets at a component; the fixture `laws` is one of these."""

    def __init__(self, as_given: bool = False) -> None:
        self.as_given = as_given
        """Whether options that are given are never made small."""

    Bench = Bench
    PrefixNoise = PrefixNoise

    def small(self, kind: str, name: str, options: Mapping[str, Any] | None = None) -> dict:
        """Options that make a component small, over `options` where that says less."""
        component = lookup.describe(kind, name)
        known = {option.name: option.default for option in component.options}
        small = {
            key: value for key, value in SMALL.items()
            if key in known and not lookup.refusals(component, {**known, key: value})
        }
        if "component_options" in known:
            small["component_options"] = {"widths": [8]}
        given = dict(options or {})
        return {**small, **given} if self.as_given else {**given, **small}

    def bench(self, name: str, kind: str, options: Mapping[str, Any] | None = None) -> Bench:
        """Data as the model wants them."""
        cls = lookup.load(lookup.describe("model", name))
        return Bench(kind, *cls.preferred_scaling(kind, **self.small("model", name, options)))

    def model(
        self, name: str, bench: Bench, options: Mapping[str, Any] | None = None, seed: int = 0,
    ) -> Model:
        """A small model, fitted if it is one that fits."""
        torch.manual_seed(seed)
        cls = lookup.load(lookup.describe("model", name))
        model = cls(bench.space, **self.small("model", name, options))
        if hasattr(model, "fit"):
            model.fit(bench.draw(64, Noise(seed)).x, seed)
        return model

    def objective(
        self, name: str, model: Model, options: Mapping[str, Any] | None = None, seed: int = 0,
    ) -> Objective:
        """A small objective for a model."""
        torch.manual_seed(seed)
        cls = lookup.load(lookup.describe("objective", name))
        return cls(model, **self.small("objective", name, options))

    def labels(self, n: int) -> Tensor:
        """Labels for n samples."""
        return torch.arange(n) % CLASSES

    def context(self, model: Model, n: int) -> Tensor | None:
        """Labels for a model that is conditional."""
        return self.labels(n) if model.conditional else None

    def move(
        self, player: str, terms: Sequence[tuple[float, Objective]], model: Model, bench: Bench,
        noise: Noise, rate: float = 1e-3,
    ) -> float:
        """One move of a player with every other parameter frozen; the loss before it."""
        own = {
            id(p): p for _, objective in terms for who in objective.players(model)
            if who.name == player for p in who.parameters
        }
        everyone = [*model.parameters(), *(p for _, o in terms for p in o.parameters())]
        for parameter in everyone:
            parameter.requires_grad_(id(parameter) in own)
        batch = bench.draw(8, noise.child("batch"))
        total = torch.zeros(())
        for index, (weight, objective) in enumerate(terms):
            if player in objective.plays:
                for term in objective.loss(player, model, batch, noise.child(index)).values():
                    total = total + weight * term
        optimiser = torch.optim.Adam(list(own.values()), rate)
        optimiser.zero_grad()
        total.backward()
        optimiser.step()
        for _, objective in terms:
            if player in objective.plays:
                objective.after_update(player, model, batch, 0)
        for parameter in everyone:
            parameter.requires_grad_(True)
        return total.item()

    def without_global_noise(self, action: Callable[[], Any]) -> Any:
        """The result of an action that must not touch torch's global generator."""
        torch.manual_seed(123)
        before = torch.get_rng_state()
        result = action()
        assert torch.equal(torch.get_rng_state(), before), "drew from torch's global generator"
        return result


@pytest.fixture(scope="session")
def laws() -> Laws:
    return Laws()
