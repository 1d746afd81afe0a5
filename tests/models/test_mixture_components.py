"""Components side by side: the same numbers as one after another."""

from __future__ import annotations

import pytest
import torch

from genbench.data.space import Space
from genbench.models._components import ComponentList, Routing, StackedFlows
from genbench.models._flow import FlowModel
from genbench.models.nice import NICE
from genbench.models.realnvp import RealNVP
from genbench.models.spline import Spline
from genbench.noise import Noise

POINTS = Space("points", (2,))
IMAGES = Space("images", (1, 3, 3), levels=17, low=0.0, high=1.0, dequantised=True)
OPTIONS = {"couplings": 3, "widths": [8, 6], "activation": "tanh"}


def pair(cls: type[FlowModel], space: Space) -> tuple[StackedFlows, ComponentList]:
    """Three flows in a stack, and the same three in a list."""
    torch.manual_seed(0)
    stacked = StackedFlows(cls(space, **OPTIONS), space, 3).double()
    looped = ComponentList([cls(space, **OPTIONS) for _ in range(3)], space).double()
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
def test_a_stacked_sample_is_its_components_image_of_its_latent(cls: type[FlowModel]) -> None:
    stacked, looped = pair(cls, POINTS)
    component = torch.tensor([2, 0, 2, 2, 0])
    x = stacked.generate(Routing(component, 3), Noise(3))
    z = Noise(3).normal("z", 5, 2).double()
    for row, c in enumerate(component.tolist()):
        expected = looped.models[c].from_base(z[row : row + 1])[0]
        torch.testing.assert_close(x[row], expected)


def test_rows_are_dispatched_and_combined() -> None:
    component = torch.tensor([3, 1, 1, 0, 3, 3])
    x = torch.arange(12.0).reshape(6, 2)
    routing = Routing(component, 4)
    dispatched = routing.dispatch(x)
    assert dispatched.shape == (4, 3, 2)
    assert torch.equal(routing.combine(dispatched), x)
    assert routing.counts.tolist() == [1, 2, 0, 3]
    assert torch.equal(dispatched[0], x[3].expand(3, 2))  # padded by its own row
    assert torch.equal(dispatched[2], torch.zeros(3, 2))  # no rows
    rows = {tuple(row) for row in dispatched[1].tolist()}
    assert rows == {tuple(row) for row in x[[1, 2]].tolist()}


def test_zero_rows_give_zero_samples() -> None:
    stacked, _ = pair(NICE, POINTS)
    none = Routing(torch.empty(0, dtype=torch.int64), 3)
    assert stacked.generate(none, Noise(0)).shape == (0, 2)
