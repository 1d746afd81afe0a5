"""Hand-made data and models, so that the evaluation is tested without training anything."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from genbench.data.base import Data, Modes, Split, Truth
from genbench.data.scaling import Scaling, scaling_for
from genbench.data.space import Space
from genbench.evaluation.evidence import Evidence, SampleSettings
from genbench.models.base import Model
from genbench.noise import Noise


class TwoBlobs(Truth):
    """Two round Gaussians of σ = 0.5 at (±4, 0) with weights 0.3 and 0.7."""

    def __init__(self) -> None:
        self.modes = Modes(
            torch.tensor([[-4.0, 0.0], [4.0, 0.0]]), 0.25 * torch.eye(2).repeat(2, 1, 1),
            torch.tensor([0.3, 0.7]),
        )

    def sample(self, n: int, noise: Noise) -> Tensor:
        which = noise.categorical("which", self.modes.weights.to(noise.device), n)
        return self.modes.centres.to(noise.device)[which] + 0.5 * noise.normal("spread", n, 2)

    def log_prob(self, x: Tensor) -> Tensor:
        squared = (x.double()[:, None] - self.modes.centres.double()).square().sum(2)
        logs = -squared / 0.5 - math.log(2 * math.pi * 0.25) + self.modes.weights.double().log()
        return logs.logsumexp(1)

    def entropy(self) -> float:
        share = -(0.3 * math.log(0.3) + 0.7 * math.log(0.7))
        return 1 + math.log(2 * math.pi * 0.25) + share

    def moments(self) -> tuple[Tensor, Tensor]:
        variance = 16 - 1.6**2 + 0.25
        return torch.tensor([1.6, 0.0]), torch.tensor([math.sqrt(variance), 0.5])


class Blob(Model):
    """A standard Gaussian, moved; broken on demand."""

    def build(self, space: Space) -> None:
        self.shift = torch.nn.Parameter(torch.zeros(space.dims))
        self.poison = False

    def generate(self, n: int, noise: Noise, context: Tensor | None = None) -> Tensor:
        x = noise.normal("z", n, self.space.dims) + self.shift
        if self.poison:
            x[3] = math.nan
        return x.reshape(n, *self.space.shape)

    def log_prob(self, x: Tensor) -> Tensor:
        z = x.flatten(1) - self.shift
        return -z.square().sum(1) / 2 - self.space.dims / 2 * math.log(2 * math.pi)


class Implicit(Model):
    """Images around a grey level, with no density."""

    def build(self, space: Space) -> None:
        self.level = torch.nn.Parameter(torch.zeros(()))

    def generate(self, n: int, noise: Noise, context: Tensor | None = None) -> Tensor:
        return (self.level + 0.3 * noise.normal("z", n, *self.space.shape)).clamp(-1, 1)


def stripes(n: int, seed: int, classes: int = 3) -> Split:
    """8×8 images with 17 levels: a bright bar whose place is the class, and grain."""
    noise = Noise(seed)
    y = noise.integers("y", classes, n)
    x = noise.integers("grain", 6, n, 1, 8, 8)
    for place in range(classes):
        x[y == place, :, 2 * place:2 * place + 2] += 10
    return Split(x.to(torch.uint8), y)


@pytest.fixture(scope="session")
def images() -> Data:
    return Data(
        "images", (1, 8, 8), stripes(200, 1), stripes(400, 2), classes=3, levels=17, mode_count=3,
    )


@pytest.fixture(scope="session")
def toy() -> Data:
    truth = TwoBlobs()
    return Data("points", (2,), Split(truth.sample(4000, Noise(7))), truth=truth)


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session", autouse=True)
def quick_classifier() -> None:
    """Forty updates are enough to tell stripes apart."""
    patch = pytest.MonkeyPatch()
    patch.setattr("genbench.evaluation.extractors.classifier.UPDATES", 40)
    yield
    patch.undo()


Make = Callable[..., Evidence]


@pytest.fixture
def make(cache: Path) -> Make:
    """Evidence of a model class (or None for the real row) on data."""

    def build(
        data: Data, model: type[Model] | Model | None = None, *, scale: str | None = None,
        dequantise: bool = False, samples: int | None = None, sets: int = 3, seed: int = 0,
        **more: object,
    ) -> Evidence:
        scale = scale or ("raw" if data.kind == "points" else "symmetric")
        scaling: Scaling = scaling_for(data, scale, dequantise)
        built = model(scaling.space(data)) if isinstance(model, type) else model
        return Evidence(
            data=data, scaling=scaling, model=built, noise=Noise(seed), cache=cache,
            settings=SampleSettings(samples, sets), offline=True, **more,
        )

    return build


@pytest.fixture
def blob() -> type[Model]:
    return Blob


@pytest.fixture
def implicit() -> type[Model]:
    return Implicit
