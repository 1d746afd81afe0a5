"""Rational-quadratic splines: inverse, slope, tails, continuity."""

from __future__ import annotations

import pytest
import torch

from genbench.data.space import Space
from genbench.errors import GenbenchError
from genbench.models.spline import Spline
from genbench.nets.splines import rational_quadratic

BOUND = 3.0


def raw(*shape: int, bins: int = 5, scale: float = 2.0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return scale * torch.randn(*shape, 3 * bins - 1, generator=generator, dtype=torch.float64)


def line(n: int = 4001, end: float = 4.0) -> torch.Tensor:
    return torch.linspace(-end, end, n, dtype=torch.float64)


def test_the_inverse_undoes_and_negates_the_log_slope() -> None:
    x, shape = line().expand(3, -1), raw(3, 1)
    y, log_slope = rational_quadratic(x, shape, BOUND)
    back, log_back = rational_quadratic(y, shape, BOUND, inverse=True)
    torch.testing.assert_close(back, x, atol=1e-9, rtol=0)
    torch.testing.assert_close(log_back, -log_slope, atol=1e-6, rtol=0)


def test_single_precision_is_enough() -> None:
    x, shape = line().float(), raw(1, scale=4.0).float()
    y, log_slope = rational_quadratic(x, shape, BOUND)
    assert torch.isfinite(log_slope).all()
    back, _ = rational_quadratic(y, shape, BOUND, inverse=True)
    assert float((back - x).abs().max()) < 2e-3
    assert float((back - x).abs().median()) < 1e-6


def test_the_slope_is_the_derivative() -> None:
    x = line().requires_grad_()
    y, log_slope = rational_quadratic(x, raw(1), BOUND)
    (derivative,) = torch.autograd.grad(y.sum(), x)
    torch.testing.assert_close(derivative, log_slope.exp())
    assert (derivative > 0).all()


def test_it_is_smooth_where_pieces_meet_and_the_identity_outside() -> None:
    x = line(200_001)
    y, log_slope = rational_quadratic(x, raw(1, scale=0.5), BOUND)
    assert float((y[1:] - y[:-1]).max()) < 1e-3
    assert float((log_slope[1:] - log_slope[:-1]).abs().max()) < 1e-3
    out = x.abs() >= BOUND
    assert torch.equal(y[out], x[out])
    assert not log_slope[out].any()


def test_zeros_are_the_identity() -> None:
    y, log_slope = rational_quadratic(line(), torch.zeros(1, 14).double(), BOUND)
    torch.testing.assert_close(y, line())
    torch.testing.assert_close(log_slope, torch.zeros_like(y), atol=1e-9, rtol=0)


def test_a_knot_goes_where_it_is_put() -> None:
    """Two bins, worked out by hand: widths 3/4 and 1/4, heights 1/2 and 1/2."""
    logits = torch.tensor([[3.0, 1.0], [1.0, 1.0]], dtype=torch.float64).log()
    shape = torch.cat([logits.flatten(), torch.zeros(1, dtype=torch.float64)])
    knot = torch.tensor([2 * 3.0 * 0.75 - 3.0], dtype=torch.float64)
    y, log_slope = rational_quadratic(knot, shape, BOUND)
    assert y.item() == pytest.approx(0.0, abs=0.01)
    assert log_slope.item() == pytest.approx(0.0, abs=0.02)


def test_as_many_pieces_as_have_room_are_monotone_and_more_are_refused() -> None:
    x = line().requires_grad_()
    y, _ = rational_quadratic(x, raw(1, bins=999), BOUND)
    assert (torch.autograd.grad(y.sum(), x)[0] > 0).all()
    with pytest.raises(GenbenchError, match="bins"):
        Spline(Space("points", (2,)), bins=1000)
