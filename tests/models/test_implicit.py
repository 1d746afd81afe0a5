"""The implicit generators: ranges, labels, and samples that do not depend on one another."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from genbench.data.space import Space
from genbench.errors import GenbenchError
from genbench.models.autoencoder import Autoencoder
from genbench.models.base import Encoder, Model
from genbench.models.coded_generator import CodedGenerator
from genbench.models.conditional_dcgan import ConditionalDCGAN
from genbench.models.conditional_generator import ConditionalGenerator
from genbench.models.dcgan import DCGAN
from genbench.models.deligan import DeLiGAN
from genbench.models.generator import Generator
from genbench.models.generator_mixture import GeneratorMixture
from genbench.noise import Noise

GENERATORS = [Generator, ConditionalGenerator, DCGAN, ConditionalDCGAN]
BOUNDS = [(-1.0, 1.0), (0.0, 1.0), (None, None)]


def images(low: float | None = -1.0, high: float | None = 1.0, classes: int = 3) -> Space:
    return Space("images", (1, 8, 8), classes, 17, low, high)


@pytest.mark.parametrize("kind", GENERATORS)
@pytest.mark.parametrize(("low", "high"), BOUNDS)
def test_samples_lie_on_the_datas_range(
    kind: type[Model], low: float | None, high: float | None
) -> None:
    torch.manual_seed(0)
    model = kind(images(low, high))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(20)  # far into the tails of tanh and sigmoid
        x = model.generate(64, Noise(0), torch.arange(64) % 3 if model.conditional else None)
    if low is None or high is None:
        assert x.min() < -1
        assert x.max() > 1
    else:
        assert low <= x.min() < low + 0.2
        assert high - 0.2 < x.max() <= high


def test_another_range_is_refused() -> None:
    with pytest.raises(GenbenchError, match=r"not on \[0\.0, 2\.0\]"):
        Generator(images(0.0, 2.0))


def test_the_generator_is_the_network_of_the_latent_that_is_drawn() -> None:
    model = Generator(Space("points", (2,)), latent=5, widths=[4])
    z = Noise(7).normal("z", 3, 5)
    assert torch.equal(model.generate(3, Noise(7)), model.net(z))


@pytest.mark.parametrize("kind", [
    Generator, ConditionalGenerator, CodedGenerator, DeLiGAN, GeneratorMixture, Autoencoder,
])
@pytest.mark.parametrize(("space", "convolves"), [
    (Space("points", (2,), 3), False),
    (Space("images", (1, 8, 8), 3, 17, -1.0, 1.0), False),
    (Space("images", (3, 16, 15), 3, 256, -1.0, 1.0), False),
    (Space("images", (1, 16, 16), 3, 256, -1.0, 1.0), True),
    (Space("images", (1, 28, 28), 3, 256, -1.0, 1.0), True),
])
def test_auto_networks_convolve_images_that_are_large_enough(
    kind: type[Model], space: Space, convolves: bool
) -> None:
    model = kind(space, network="auto", channels=4, widths=[8])
    layers = [m for m in model.modules() if isinstance(m, nn.ConvTranspose2d)]
    assert bool(layers) is convolves
    labels = torch.arange(5) % 3 if model.conditional else None
    assert model.generate(5, Noise(0), labels).shape == (5, *space.shape)
    if isinstance(model, Encoder):
        assert model.encode(torch.zeros(5, *space.shape)).shape[0] == 5
        assert any(isinstance(m, nn.Conv2d) for m in model.modules()) is convolves


@pytest.mark.parametrize("kind", [ConditionalGenerator, ConditionalDCGAN])
def test_labels_decide(kind: type[Model]) -> None:
    torch.manual_seed(0)
    model = kind(images()).eval()
    zeros = model.generate(4, Noise(0), torch.zeros(4, dtype=torch.long))
    mixed = model.generate(4, Noise(0), torch.tensor([0, 1, 0, 2]))
    same = (zeros == mixed).flatten(1).all(1)
    assert same.tolist() == [True, False, True, False]


@pytest.mark.parametrize("kind", [ConditionalGenerator, ConditionalDCGAN])
@pytest.mark.parametrize("labels", [None, torch.zeros(3, dtype=torch.long)])
def test_a_label_for_each_sample_is_asked_for(
    kind: type[Model], labels: torch.Tensor | None
) -> None:
    with pytest.raises(GenbenchError, match=r"needs a context for each of 4|a context is int64"):
        kind(images()).generate(4, Noise(0), labels)


@pytest.mark.parametrize("kind", [ConditionalGenerator, ConditionalDCGAN])
def test_conditional_models_need_labelled_data(kind: type[Model]) -> None:
    with pytest.raises(GenbenchError, match="needs a dataset with labels"):
        kind(images(classes=0))


def test_batch_norm_uses_the_batch_in_training_and_running_moments_in_evaluation() -> None:
    torch.manual_seed(0)
    model = DCGAN(images(), latent=4, channels=4)
    z = torch.randn(8, 4)
    assert not torch.allclose(model.network(z)[:4], model.network(z[:4]))
    moved = model.network.layers[0].running_mean.clone()
    model.eval()
    torch.testing.assert_close(model.network(z)[:4], model.network(z[:4]))
    assert torch.equal(moved, model.network.layers[0].running_mean)


def test_generate_is_differentiable_in_every_parameter() -> None:
    for kind in GENERATORS:
        model = kind(images())
        labels = torch.tensor([0, 1, 2, 0]) if model.conditional else None
        model.generate(4, Noise(0), labels).sum().backward()
        assert all(parameter.grad is not None for parameter in model.parameters())
