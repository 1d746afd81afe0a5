"""Coupling layers: inverse and Jacobian, in float64 with random parameters."""

from __future__ import annotations

from functools import partial

import pytest
import torch

from genbench.errors import GenbenchError
from genbench.nets.coupling import AdditiveCoupling, AffineCoupling, Couplings, dense_network
from genbench.nets.splines import SplineCoupling

LAYERS = {
    "additive": AdditiveCoupling, "affine": AffineCoupling,
    "spline": partial(SplineCoupling, bins=4, bound=3.0),
}
SHAPES = [(2, False), (5, False), (5, True), (6, True)]


def stack(kind: str, dims: int, interleave: bool, rescale: bool = True) -> Couplings:
    """A small stack away from its starting point."""
    torch.manual_seed(0)
    layer = partial(LAYERS[kind], network=dense_network([8], "tanh"))
    flow = Couplings(dims, 3, layer, interleave=interleave, rescale=rescale).double()
    with torch.no_grad():
        for parameter in flow.parameters():
            parameter += 0.3 * torch.randn_like(parameter)
    return flow


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize(("dims", "interleave"), SHAPES)
def test_the_inverse_undoes(kind: str, dims: int, interleave: bool) -> None:
    flow = stack(kind, dims, interleave)
    x = torch.randn(20, dims, dtype=torch.float64)
    torch.testing.assert_close(flow.inverse(flow(x)[0]), x, rtol=0, atol=1e-10)


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize(("dims", "interleave"), SHAPES)
def test_the_log_determinant_is_the_jacobians(kind: str, dims: int, interleave: bool) -> None:
    flow = stack(kind, dims, interleave)
    x = torch.randn(4, dims, dtype=torch.float64)
    for row in range(4):
        jacobian = torch.autograd.functional.jacobian(lambda v: flow(v[None])[0][0], x[row])
        expected = torch.linalg.slogdet(jacobian).logabsdet
        torch.testing.assert_close(flow(x)[1][row], expected, rtol=0, atol=1e-10)


def test_every_coordinate_moves_every_other() -> None:
    flow = stack("additive", 6, True, rescale=False)
    jacobian = torch.autograd.functional.jacobian(
        lambda v: flow(v[None])[0][0], torch.randn(6, dtype=torch.float64)
    )
    assert (jacobian != 0).sum() >= 33  # three couplings fill all but one block's off-diagonal
    assert float(torch.linalg.det(jacobian).abs()) == pytest.approx(1.0)


def test_interleaved_halves_are_even_and_odd() -> None:
    layer = partial(AffineCoupling, network=dense_network([4], "relu"))
    flow = Couplings(6, 1, layer, interleave=True)
    assert flow.get_buffer("order").tolist() == [0, 2, 4, 1, 3, 5]


@pytest.mark.parametrize("kind", ["affine", "spline"])
def test_it_starts_as_the_identity(kind: str) -> None:
    layer = partial(LAYERS[kind], network=dense_network([8], "relu"))
    flow = Couplings(4, 4, layer, interleave=False, rescale=True)
    x = torch.randn(3, 4)
    h, log_det = flow(x)
    torch.testing.assert_close(h, x)
    torch.testing.assert_close(log_det, torch.zeros(3))


def test_a_far_datum_does_not_overflow() -> None:
    flow = stack("affine", 2, False)
    h, log_det = flow(torch.full((1, 2), 1e6, dtype=torch.float64))
    assert torch.isfinite(h).all()
    assert torch.isfinite(log_det).all()


def test_one_dimension_is_refused() -> None:
    with pytest.raises(GenbenchError, match="2 dimensions or more, not 1"):
        Couplings(1, 2, LAYERS["additive"], interleave=False)
