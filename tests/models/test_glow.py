"""Glow: Jacobian, inverse, stacks, precision, and what it refuses."""

from __future__ import annotations

import pytest
import torch
from scipy import stats

from genbench.data.space import Space
from genbench.errors import GenbenchError
from genbench.models._components import ComponentList, StackedFlows
from genbench.models.glow import Glow
from genbench.noise import Noise


def space(*shape: int) -> Space:
    return Space("images", shape, levels=17, low=0.0, high=1.0, dequantised=True)


def shaken(shape: tuple[int, ...], **options: int) -> Glow:
    """A small flow in float64, away from its starting point."""
    torch.manual_seed(0)
    model = Glow(space(*shape), steps=2, channels=5, **options).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.2 * torch.randn_like(parameter)
    return model


@pytest.mark.parametrize(("shape", "levels"), [((1, 4, 4), 2), ((3, 2, 4), 1), ((2, 8, 4), 2)])
def test_the_density_is_the_change_of_variables(shape: tuple[int, ...], levels: int) -> None:
    model = shaken(shape, levels=levels)
    for row in torch.randn(3, *shape, dtype=torch.float64):
        jacobian = torch.autograd.functional.jacobian(
            lambda v: model.to_base(v.reshape(1, *shape))[0][0], row.flatten()
        )
        z = model.to_base(row[None])[0][0].detach().numpy()
        expected = stats.norm.logpdf(z).sum() + float(torch.linalg.slogdet(jacobian).logabsdet)
        assert model.log_prob(row[None]).item() == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("shape", "levels"), [((1, 8, 8), 3), ((3, 4, 8), 2), ((1, 2, 2), 1)])
def test_samples_map_back_to_their_codes(shape: tuple[int, ...], levels: int) -> None:
    model = shaken(shape, levels=levels)
    x = model.generate(20, Noise(4))
    assert x.shape == (20, *shape)
    z = Noise(4).normal("z", 20, model.space.dims).double()
    torch.testing.assert_close(model.to_base(x)[0], z, rtol=0, atol=1e-7)


def test_it_starts_as_a_rotation() -> None:
    torch.manual_seed(0)
    model = Glow(space(1, 4, 4))
    x = torch.randn(6, 1, 4, 4)
    z, log_det = model.to_base(x)
    torch.testing.assert_close(z.square().sum(1), x.square().sum((1, 2, 3)))
    torch.testing.assert_close(log_det, torch.zeros(6), rtol=0, atol=1e-4)


def test_a_stack_is_its_flows_one_after_another() -> None:
    images, options = space(1, 4, 8), {"steps": 2, "channels": 3}
    stacked = StackedFlows(Glow(images, **options), images, 3).double()
    looped = ComponentList([Glow(images, **options) for _ in range(3)], images).double()
    with torch.no_grad():
        for name, value in stacked.flow.named_parameters():
            value += 0.2 * torch.randn_like(value)
            for flow, own in zip(looped.models, value.chunk(3), strict=True):
                flow.get_parameter(f"flow.{name}").copy_(own)
    x = torch.randn(3, 7, images.dims, dtype=torch.float64)
    torch.testing.assert_close(stacked.log_prob(x), looped.log_prob(x))
    torch.testing.assert_close(stacked.flow.inverse(stacked.flow(x)[0]), x)


def test_half_precision_leaves_it_invertible() -> None:
    model = shaken((1, 8, 8), levels=2).float()
    x = torch.randn(5, 1, 8, 8)
    with torch.autocast("cpu", torch.bfloat16):
        z, log_det = model.to_base(x)
        again = model.from_base(z)
    assert z.dtype == log_det.dtype == torch.float32
    torch.testing.assert_close(again, x, rtol=0, atol=1e-4)


def test_gradients_reach_every_parameter_both_ways() -> None:
    model = shaken((1, 4, 4), levels=2)
    for value in (model.log_prob(torch.randn(9, 1, 4, 4).double()), model.generate(9, Noise(0))):
        model.zero_grad()
        value.square().sum().backward()
        assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


@pytest.mark.parametrize(("shape", "levels"), [((1, 28, 28), 3), ((1, 9, 8), 1)])
def test_sides_that_cannot_be_halved_are_refused(shape: tuple[int, ...], levels: int) -> None:
    with pytest.raises(GenbenchError, match=f"multiples of {2**levels}, not for data of shape"):
        Glow(space(*shape), levels=levels)
