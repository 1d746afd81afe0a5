"""NICE and RealNVP: inverse, Jacobian, integral, base and starting points."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import stats

from genbench.data.space import Space
from genbench.errors import GenbenchError
from genbench.models.base import Model
from genbench.models.nice import NICE
from genbench.models.realnvp import RealNVP
from genbench.models.spline import Spline
from genbench.noise import Noise

POINTS = Space("points", (2,))
IMAGES = Space("images", (1, 3, 3), levels=17, low=0.0, high=1.0, dequantised=True)
FLOWS = [NICE, RealNVP, Spline]
OPTIONS = {"couplings": 3, "widths": [8], "activation": "tanh"}


def shaken(model: Model) -> Model:
    """The model in float64, away from its starting point."""
    generator = torch.Generator().manual_seed(1)
    model = model.double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.2 * torch.randn(parameter.shape, generator=generator)
    return model


def flow(cls: type[Model], space: Space, **options: object) -> Model:
    torch.manual_seed(0)
    return shaken(cls(space, **{**OPTIONS, **options}))


@pytest.mark.parametrize("cls", FLOWS)
@pytest.mark.parametrize("space", [POINTS, IMAGES])
@pytest.mark.parametrize("base", ["gaussian", "logistic"])
def test_density_is_the_change_of_variables(cls: type[Model], space: Space, base: str) -> None:
    model = flow(cls, space, base=base)
    law = stats.norm if base == "gaussian" else stats.logistic
    x = torch.rand(3, *space.shape, dtype=torch.float64)
    for row in x:
        jacobian = torch.autograd.functional.jacobian(
            lambda v: model.to_base(v.reshape(1, *space.shape))[0][0], row.flatten()
        )
        z = model.to_base(row[None])[0][0].detach().numpy()
        expected = law.logpdf(z).sum() + float(torch.linalg.slogdet(jacobian).logabsdet)
        assert model.log_prob(row[None]).item() == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("cls", FLOWS)
@pytest.mark.parametrize("space", [POINTS, IMAGES])
def test_samples_map_back_to_their_codes(cls: type[Model], space: Space) -> None:
    model = flow(cls, space)
    x = model.generate(50, Noise(4))
    assert x.shape == (50, *space.shape)
    z = Noise(4).normal("z", 50, space.dims).double()
    torch.testing.assert_close(model.to_base(x)[0], z, rtol=0, atol=1e-9)
    torch.testing.assert_close(model.from_base(z), x)


@pytest.mark.sweep("cls")
@pytest.mark.parametrize("cls", FLOWS)
@pytest.mark.parametrize("base", ["gaussian", "logistic"])
def test_the_density_integrates_to_one(cls: type[Model], base: str) -> None:
    model = flow(cls, POINTS, base=base)
    end, points = (20, 1001) if cls is Spline else (120, 1601)  # a spline is narrower
    line = torch.linspace(-end, end, points, dtype=torch.float64)
    grid = torch.cartesian_prod(line, line)
    with torch.no_grad():
        total = sum(float(model.log_prob(part).exp().sum()) for part in grid.split(100_000))
    assert total * (2 * end / (points - 1)) ** 2 == pytest.approx(1.0, abs=2e-3)


def test_gradients_reach_every_parameter_both_ways() -> None:
    for cls in FLOWS:
        model = flow(cls, POINTS)
        for value in (model.log_prob(torch.randn(9, 2).double()), model.generate(9, Noise(0))):
            model.zero_grad()
            value.square().sum().backward()
            assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


def test_the_scale_starts_where_typical_codes_fill_the_base() -> None:
    assert NICE(POINTS).flow.log_s[0].item() == 0
    logistic = NICE(IMAGES, base="logistic")
    assert logistic.flow.log_s[0].item() == pytest.approx(math.log(math.pi / 3**0.5 / 0.15))
    assert NICE(POINTS, log_scale=0.7).flow.log_s[1].item() == pytest.approx(0.7)
    assert np.isclose(2.49, logistic.flow.log_s[0].item(), atol=0.01)  # the 2.5 that MNIST wants


def test_scale_is_a_group_of_its_own() -> None:
    model = NICE(POINTS)
    groups = model.groups()
    assert groups["scale"] == [model.flow.log_s]
    assert sum(len(group) for group in groups.values()) == len(list(model.parameters()))


def test_a_density_of_grey_levels_is_no_likelihood() -> None:
    grey = Space("images", (1, 3, 3), levels=17, low=0.0, high=1.0)
    assert NICE(IMAGES).likelihood_reason is None
    assert NICE(POINTS).likelihood_reason is None
    assert "17 grey levels is unbounded" in NICE(grey).likelihood_reason
    assert "dequantise" in RealNVP(grey).likelihood_reason


def test_bad_options_are_refused_in_one_line() -> None:
    with pytest.raises(GenbenchError, match="couplings"):
        NICE(POINTS, couplings=-1)
    with pytest.raises(GenbenchError, match="base"):
        RealNVP(POINTS, base="cauchy")
