"""What every model obeys, on every kind of data that it accepts."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from safetensors.torch import load, save

from genbench import lookup
from genbench.data.scaling import SCALES
from genbench.models.base import (
    CAPABILITIES,
    Bound,
    Classifier,
    Coded,
    Denoiser,
    Density,
    Encoder,
    Mixture,
    Model,
    Parts,
    Spread,
)
from genbench.noise import Noise

CELLS = [
    (name, kind)
    for name in lookup.available("model")
    for kind in lookup.describe("model", name).constants.get("accepts", ("points", "images"))
]
PROTOCOLS = {
    "density": Density, "bound": Bound, "encoder": Encoder, "mixture": Mixture,
    "classifier": Classifier, "denoiser": Denoiser, "codes": Coded, "parts": Parts,
    "spread": Spread,
}
pytestmark = pytest.mark.parametrize(("name", "kind"), CELLS)


@pytest.fixture
def bench(laws: Any, name: str, kind: str) -> Any:
    return laws.bench(name, kind)


@pytest.fixture
def model(laws: Any, name: str, bench: Any) -> Model:
    return laws.model(name, bench).eval()


def sample(model: Model, n: int, noise: Noise) -> torch.Tensor:
    with torch.no_grad():
        return model.generate(n, noise, torch.arange(n) % 3 if model.conditional else None)


def test_samples_have_the_datas_shape_and_range(model: Model, bench: Any, kind: str) -> None:
    x = sample(model, 7, Noise(1))
    assert x.shape == (7, *bench.space.shape)
    assert x.dtype == torch.float32
    assert x.isfinite().all()
    low, high = bench.space.low, bench.space.high
    if low is None or high is None or isinstance(model, Density):
        return  # a density on all of space has samples everywhere
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(30)  # no network is small enough to stay within by chance
    x = sample(model, 7, Noise(1))
    assert low <= x.min() <= x.max() <= high


def test_samples_are_a_function_of_the_noise(laws: Any, model: Model, kind: str) -> None:
    first = laws.without_global_noise(lambda: sample(model, 7, Noise(1)))
    assert torch.equal(first, sample(model, 7, Noise(1)))
    assert not torch.equal(first, sample(model, 7, Noise(2)))


def test_a_sample_does_not_depend_on_how_many_are_drawn(
    laws: Any, model: Model, kind: str
) -> None:
    few, many = (sample(model, n, laws.PrefixNoise(1)) for n in (5, 12))
    torch.testing.assert_close(few, many[:5], rtol=1e-4, atol=1e-5)


def test_samples_differ_from_one_another(model: Model, kind: str) -> None:
    flat = sample(model, 8, Noise(1)).flatten(1)
    assert len(flat.unique(dim=0)) == 8


def test_saved_and_loaded_it_is_the_same_model(
    laws: Any, name: str, bench: Any, model: Model, kind: str
) -> None:
    other = laws.model(name, bench, seed=1).eval()
    other.load_state_dict(load(save(model.state_dict())))
    assert torch.equal(sample(model, 7, Noise(1)), sample(other, 7, Noise(1)))


def test_a_copy_samples_the_same(model: Model, kind: str) -> None:
    assert torch.equal(
        sample(model, 7, Noise(1)), sample(copy.deepcopy(model).eval(), 7, Noise(1))
    )


def test_generate_is_differentiable_in_parameters(model: Model, kind: str) -> None:
    if not any(parameter.requires_grad for parameter in model.parameters()):
        pytest.skip("nothing in it is learned by gradients")
    labels = torch.arange(6) % 3 if model.conditional else None
    model.generate(6, Noise(1), labels).sum().backward()
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    assert gradients
    assert all(gradient.isfinite().all() for gradient in gradients)


def test_its_groups_are_those_that_its_source_names(
    laws: Any, name: str, model: Model, kind: str
) -> None:
    named = lookup.describe("model", name).constants.get("named_groups", ())
    inner = laws.small("model", name).get("component", "nice") if name == "mixture" else None
    if inner:
        named = (*named, *lookup.describe("model", inner).constants.get("named_groups", ()))
    assert {group for group in model.groups() if group} == set(named)


def test_its_groups_part_the_parameters(model: Model, kind: str) -> None:
    grouped = [id(p) for group in model.groups().values() for p in group]
    assert len(grouped) == len(set(grouped))
    assert set(grouped) == {id(p) for p in model.parameters()}


def test_it_prefers_a_scale_that_its_data_can_have(laws: Any, name: str, kind: str) -> None:
    cls = lookup.load(lookup.describe("model", name))
    scale, dequantise = cls.preferred_scaling(kind)
    assert scale in (SCALES[:2] if kind == "points" else SCALES[2:])
    assert isinstance(dequantise, bool)
    assert not (dequantise and kind == "points")


def test_source_and_object_agree_on_what_it_can_do(name: str, model: Model, kind: str) -> None:
    methods = lookup.describe("model", name).methods
    assert set(PROTOCOLS) | {"fit"} == set(CAPABILITIES)
    for capability, protocol in PROTOCOLS.items():
        assert (CAPABILITIES[capability] in methods) == isinstance(model, protocol), capability


def test_what_it_can_do_has_the_promised_shape(
    laws: Any, model: Model, bench: Any, kind: str
) -> None:
    x = bench.draw(6, Noise(2)).x
    if hasattr(model, CAPABILITIES["fit"]):
        before = model.log_prob(x).mean()
        model.fit(x, 0)
        assert model.log_prob(x).mean() > before
    t = torch.tensor([0, 1, 2, 0, 1, 2])
    with torch.no_grad():
        if isinstance(model, Density):
            density = model.log_prob(x)
            assert density.shape == (6,)
            assert density.isfinite().all()
            torch.testing.assert_close(density[:2], model.log_prob(x[:2]), rtol=1e-4, atol=1e-3)
        if isinstance(model, Bound):
            weights = laws.without_global_noise(lambda: model.log_weights(x, Noise(3), 4))
            assert weights.shape == (4, 6)
            assert weights.isfinite().all()
            assert torch.equal(weights, model.log_weights(x, Noise(3), 4))
            assert len(weights[:, 0].unique()) == 4
        if isinstance(model, Encoder):
            code = model.encode(x)
            assert code.shape[0] == 6
            assert code.dim() == 2
            assert model.decode(code).shape == x.shape
        if isinstance(model, Mixture):
            parts, shares = model.component_log_prob(x), model.mixture_log_weights()
            assert parts.shape == (6, len(shares))
            assert shares.exp().sum().item() == pytest.approx(1, abs=1e-5)
            assert isinstance(model, Density)
            whole = torch.logsumexp(parts + shares, 1)
            torch.testing.assert_close(model.log_prob(x), whole, check_dtype=False)
        if isinstance(model, Classifier):
            assert model.class_logits(x).shape == (6, bench.space.classes)
        if isinstance(model, Denoiser):
            eps = Noise(3).normal("eps", *x.shape)
            assert model.diffuse(x, t % model.steps, eps).shape == x.shape
            assert model.predict_noise(x, t % model.steps).shape == x.shape
        if isinstance(model, Coded):
            codes = model.draw_codes(6, Noise(3))
            assert codes.shape == (6, len(model.categories) + model.continuous)
            assert model.generate_from_codes(codes, Noise(4)).shape == x.shape
        if isinstance(model, Parts):
            shares = model.part_log_weights()
            assert shares.exp().sum().item() == pytest.approx(1, abs=1e-5)
            assert model.generate_parts(6, Noise(3)).shape == (len(shares), *x.shape)
        if isinstance(model, Spread):
            scales = model.latent_scales()
            assert scales.dim() == 2
            assert (scales > 0).all()
