"""What a model is conditioned on: refused where it would be ignored, checked where it is used."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from genbench import lookup
from genbench.data.space import Space
from genbench.errors import GenbenchError
from genbench.models.base import CONDITIONED, Model
from genbench.models.gaussian import Gaussian
from genbench.models.vae import VAE
from genbench.noise import Noise
from genbench.objectives.base import Batch
from genbench.objectives.likelihood import Likelihood

POINTS = Space("points", (2,), classes=3)
LABELS = torch.tensor([0, 1, 2, 1])


class Shifted(Model):
    """A Gaussian of unit variance around a mean for each label, or a linear one of numbers."""

    conditional = True

    def build(self, space: Space) -> None:
        self.mean = nn.Linear(space.context_dims or space.classes, 2, bias=False)

    def _mean(self, context: Tensor) -> Tensor:
        if context.is_floating_point():
            return self.mean(context)
        return self.mean.weight.T[context]

    def log_prob(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        assert context is not None
        return -0.5 * (x - self._mean(context)).square().sum(1) - math.log(2 * math.pi)

    def generate(self, n: int, noise: Noise, context: Tensor | None = None) -> Tensor:
        assert context is not None
        return self._mean(context) + noise.normal("z", n, 2)


UNCONDITIONAL: list[tuple[type[Model], Callable[[Any], Any]]] = [
    (Gaussian, lambda m: m.generate(4, Noise(0), LABELS)),
    (Gaussian, lambda m: m.generate(n=4, noise=Noise(0), context=LABELS)),
    (Gaussian, lambda m: m.log_prob(torch.zeros(4, 2), LABELS)),
    (VAE, lambda m: m.log_weights(torch.zeros(4, 2), Noise(0), 1, LABELS)),
    (VAE, lambda m: m.bound_terms(torch.zeros(4, 2), Noise(0), context=LABELS)),
    (VAE, lambda m: m.encode(torch.zeros(4, 2), LABELS)),
    (VAE, lambda m: m.encode_draw(torch.zeros(4, 2), Noise(0), LABELS)),
    (VAE, lambda m: m.decode(torch.zeros(4, m.latent), LABELS)),
]


@pytest.mark.parametrize(("kind", "call"), UNCONDITIONAL)
def test_what_would_be_ignored_is_refused(kind: type[Model], call: Callable[[Any], Any]) -> None:
    with pytest.raises(GenbenchError, match=f"{kind.__name__} is not conditional"):
        call(kind(POINTS))


def test_the_tries_are_of_every_method_that_takes_one() -> None:
    assert {
        "generate", "log_prob", "log_weights", "bound_terms", "encode", "encode_draw", "decode",
    } == CONDITIONED


@pytest.mark.parametrize("name", lookup.available("model"))
def test_no_model_ignores_one(laws_of: Callable[[str], Model], name: str) -> None:
    model = laws_of(name)
    if not model.conditional:
        with pytest.raises(GenbenchError, match="is not conditional"):
            model.generate(4, Noise(0), LABELS)
        return
    with pytest.raises(GenbenchError, match="needs a context for each of 4 rows"):
        model.generate(4, Noise(0))


@pytest.fixture
def laws_of() -> Callable[[str], Model]:
    """A model by name, with its defaults, for small images or for points."""

    def made(name: str) -> Model:
        component = lookup.describe("model", name)
        images = "images" in component.constants.get("accepts", ("points", "images"))
        space = Space("images", (1, 8, 8), 3, 17, -1.0, 1.0, True) if images else POINTS
        model: Model = lookup.load(component)(space)
        return model

    return made


def test_labels_and_numbers_are_what_the_space_says() -> None:
    labelled, numbered = Shifted(POINTS), Shifted(Space("points", (2,), context_dims=2))
    assert labelled.generate(4, Noise(0), LABELS).shape == (4, 2)
    assert numbered.generate(4, Noise(0), torch.ones(4, 2)).shape == (4, 2)
    with pytest.raises(GenbenchError, match=r"int64 labels of shape \(4,\); got float32 \(4, 2\)"):
        labelled.generate(4, Noise(0), torch.ones(4, 2))
    with pytest.raises(GenbenchError, match=r"numbers of shape \(4, 2\); got int64 \(4,\)"):
        numbered.generate(4, Noise(0), LABELS)
    with pytest.raises(GenbenchError, match=r"shape \(3,\); got int64 \(4,\)"):
        labelled.log_prob(torch.zeros(3, 2), LABELS)


def test_maximum_likelihood_gives_a_conditional_density_the_batchs_labels() -> None:
    torch.manual_seed(0)
    model = Shifted(POINTS)
    x = torch.randn(4, 2)
    loss = Likelihood(model).loss("model", model, Batch(x, LABELS), Noise(0))["nll"]
    torch.testing.assert_close(loss, -model.log_prob(x, LABELS).mean())
    with pytest.raises(GenbenchError, match="Shifted is conditional and needs a context"):
        Likelihood(model).loss("model", model, Batch(x), Noise(0))
