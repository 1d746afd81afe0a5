"""What every model obeys, on every kind of data that it accepts."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from safetensors.torch import load, save

from genbench import lookup
from genbench.data.scaling import SCALES
from genbench.models import base
from genbench.models.base import Density, Model
from genbench.noise import Noise

CELLS = [
    (name, kind)
    for name in lookup.available("model")
    for kind in lookup.describe("model", name).constants.get("accepts", ("points", "images"))
]
PROTOCOLS = {
    name: getattr(base, "".join(word.capitalize() for word in name.split("_")))
    for name, capability in lookup.CAPABILITIES.items() if capability.method
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
    component = lookup.describe("model", name)
    for capability, protocol in PROTOCOLS.items():
        shown = lookup.CAPABILITIES[capability].shown_by(component)
        assert shown == isinstance(model, protocol), capability


def test_what_it_can_do_has_the_promised_shape(
    laws: Any, model: Model, bench: Any, kind: str
) -> None:
    for capability, promise in PROMISES.items():
        if isinstance(model, PROTOCOLS[capability]):
            promise(laws, copy.deepcopy(model), bench.draw(6, Noise(2)).x)


def _density(laws: Any, model: Any, x: torch.Tensor) -> None:
    density = model.log_prob(x)
    assert density.shape == (6,)
    assert density.isfinite().all()
    torch.testing.assert_close(density[:2], model.log_prob(x[:2]), rtol=1e-4, atol=1e-3)


def _mixture(laws: Any, model: Any, x: torch.Tensor) -> None:
    parts, shares = model.component_log_prob(x), model.mixture_log_weights()
    assert parts.shape == (6, len(shares))
    assert shares.exp().sum().item() == pytest.approx(1, abs=1e-5)
    whole = torch.logsumexp(parts + shares, 1)
    torch.testing.assert_close(model.log_prob(x), whole, check_dtype=False)


def _bound(laws: Any, model: Any, x: torch.Tensor) -> None:
    weights = laws.without_global_noise(lambda: model.log_weights(x, Noise(3), 4))
    assert weights.shape == (4, 6)
    assert weights.isfinite().all()
    assert torch.equal(weights, model.log_weights(x, Noise(3), 4))
    assert len(weights[:, 0].unique()) == 4


def _split_bound(laws: Any, model: Any, x: torch.Tensor) -> None:
    """Its terms have the expectation that the importance weights have."""
    many = 500
    terms = model.bound_terms(x, Noise(3), many)
    assert all(term.shape == (6,) for term in terms.values())
    weights = model.log_weights(x, Noise(4), many)
    spread = 5 * weights.std(0) / many**0.5 + 1e-3
    assert ((sum(terms.values()) + weights.mean(0)).abs() < 2 * spread).all()


def _latent(laws: Any, model: Any, x: torch.Tensor) -> None:
    assert model.decode(Noise(3).normal("z", 6, model.latent)).shape == x.shape


def _encoder(laws: Any, model: Any, x: torch.Tensor) -> None:
    code = model.encode(x)
    assert code.shape == (6, model.latent)
    assert model.decode(code).shape == x.shape


def _stochastic_encoder(laws: Any, model: Any, x: torch.Tensor) -> None:
    first = laws.without_global_noise(lambda: model.encode_draw(x, Noise(3)))
    assert first.shape == (6, model.latent)
    assert torch.equal(first, model.encode_draw(x, Noise(3)))
    many = torch.stack([model.encode_draw(x, Noise(seed)) for seed in range(200)])
    spread = 6 * many.std(0) / len(many) ** 0.5 + 1e-4
    assert ((many.mean(0) - model.encode(x)).abs() < spread).all()


def _latent_codes(laws: Any, model: Any, x: torch.Tensor) -> None:
    codes = model.draw_codes(6, Noise(3))
    assert codes.shape == (6, len(model.categories) + model.continuous)
    assert model.generate_from_codes(codes, Noise(4)).shape == x.shape


def _mixture_of_generators(laws: Any, model: Any, x: torch.Tensor) -> None:
    shares = model.component_log_weights()
    assert shares.exp().sum().item() == pytest.approx(1, abs=1e-5)
    assert model.generate_components(6, Noise(3)).shape == (len(shares), *x.shape)


def _latent_mixture(laws: Any, model: Any, x: torch.Tensor) -> None:
    scales = model.latent_scales()
    assert scales.dim() == 2
    assert (scales > 0).all()


def _denoiser(laws: Any, model: Any, x: torch.Tensor) -> None:
    t, eps = torch.tensor([0, 1, 2, 0, 1, 2]) % model.steps, Noise(3).normal("eps", *x.shape)
    noised = model.diffuse(x, t, eps)
    assert noised.shape == x.shape
    assert not torch.equal(noised, x)
    assert model.predict_noise(noised, t).shape == x.shape


def _variational_denoiser(laws: Any, model: Any, x: torch.Tensor) -> None:
    weights = model.bound_weights(torch.arange(model.steps))
    assert weights.shape == (model.steps,)
    assert (weights > 0).all()


def _learned_variance(laws: Any, model: Any, x: torch.Tensor) -> None:
    if not model.learned:
        return
    t, eps = torch.tensor([0, 1, 2, 0, 1, 2]) % model.steps, Noise(3).normal("eps", *x.shape)
    noised = model.diffuse(x, t, eps)
    predicted, sigma = model.predict(noised, t)
    assert predicted.shape == sigma.shape == x.shape
    assert (sigma > 0).all()
    bound = model.step_bound(x, noised, t, predicted, sigma)
    assert bound.shape == x.shape
    assert (bound.flatten(1).sum(1) > -1e-4).all()


def _data_initialisation(laws: Any, model: Any, x: torch.Tensor) -> None:
    """Once: what is learned afterwards is not thrown away when a run goes on."""
    model.initialise(x, Noise(3))
    before = copy.deepcopy(model.state_dict())
    model.initialise(x.flip(0) + 1, Noise(4))
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())


def _fit(laws: Any, model: Any, x: torch.Tensor) -> None:
    before = model.log_prob(x).mean()
    model.fit(x, 0)
    assert model.log_prob(x).mean() > before


PROMISES: dict[str, Callable[[Any, Any, torch.Tensor], None]] = {
    name: torch.no_grad()(globals()[f"_{name}"]) for name in PROTOCOLS
}
