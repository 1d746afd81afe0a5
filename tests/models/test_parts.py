"""Components side by side: the same numbers as one after another."""

from __future__ import annotations

import pytest
import torch

from genbench.data.space import Space
from genbench.models._flow import FlowModel
from genbench.models._parts import LoopedParts, Routes, StackedParts
from genbench.models.nice import NICE
from genbench.models.realnvp import RealNVP
from genbench.models.spline import Spline
from genbench.noise import Noise

POINTS = Space("points", (2,))
IMAGES = Space("images", (1, 3, 3), levels=17, low=0.0, high=1.0, dequantised=True)
OPTIONS = {"couplings": 3, "widths": [8, 6], "activation": "tanh"}


def pair(cls: type[FlowModel], space: Space) -> tuple[StackedParts, LoopedParts]:
    """Three flows in a stack, and the same three in a list."""
    torch.manual_seed(0)
    stacked = StackedParts(cls(space, **OPTIONS), space, 3).double()
    looped = LoopedParts([cls(space, **OPTIONS) for _ in range(3)], space).double()
    with torch.no_grad():
        for name, value in stacked.flow.named_parameters():
            value += 0.2 * torch.randn_like(value)
            for c, flow in enumerate(looped.models):
                own = flow.get_parameter(f"flow.{name}")
                matrix = name.endswith("weight")
                own.copy_(value[c].t() if matrix else value[c].reshape(own.shape))
    return stacked, looped


@pytest.mark.parametrize("cls", [NICE, RealNVP, Spline])
@pytest.mark.parametrize("space", [POINTS, IMAGES])
def test_stacked_densities_and_gradients_are_those_of_the_loop(
    cls: type[FlowModel], space: Space
) -> None:
    stacked, looped = pair(cls, space)
    x = torch.rand(3, 7, space.dims, dtype=torch.float64)
    ours, theirs = stacked.log_prob(x), looped.log_prob(x)
    torch.testing.assert_close(ours, theirs)
    ours.square().sum().backward()
    theirs.square().sum().backward()
    for name, value in stacked.flow.named_parameters():
        for c, flow in enumerate(looped.models):
            grad = flow.get_parameter(f"flow.{name}").grad
            assert grad is not None
            assert value.grad is not None
            expected = grad.t() if name.endswith("weight") else grad
            torch.testing.assert_close(value.grad[c].reshape(expected.shape), expected)


@pytest.mark.parametrize("cls", [NICE, RealNVP, Spline])
def test_a_stacked_sample_is_its_components_image_of_its_code(cls: type[FlowModel]) -> None:
    stacked, looped = pair(cls, POINTS)
    owner = torch.tensor([2, 0, 2, 2, 0])
    x = stacked.generate(Routes(owner, 3), Noise(3))
    z = Noise(3).normal("z", 5, 2).double()
    for row, c in enumerate(owner.tolist()):
        expected = looped.models[c].from_base(z[row : row + 1])[0]
        torch.testing.assert_close(x[row], expected)


def test_routes_take_rows_out_and_back() -> None:
    owner = torch.tensor([3, 1, 1, 0, 3, 3])
    x = torch.arange(12.0).reshape(6, 2)
    routes = Routes(owner, 4)
    out = routes.out(x)
    assert out.shape == (4, 3, 2)
    assert torch.equal(routes.back(out), x)
    assert routes.counts.tolist() == [1, 2, 0, 3]
    assert torch.equal(out[0], x[3].expand(3, 2))  # its one row again, and nobody else's
    assert torch.equal(out[2], torch.zeros(3, 2))  # it has none, and is shown nobody else's
    assert {tuple(row) for row in out[1].tolist()} == {tuple(row) for row in x[[1, 2]].tolist()}


def test_no_rows_are_no_trouble() -> None:
    stacked, _ = pair(NICE, POINTS)
    assert stacked.generate(Routes(torch.empty(0, dtype=torch.int64), 3), Noise(0)).shape == (0, 2)
