"""Scaling: round trips, log-determinants against autograd, and what a model is told."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from genbench.data.base import Data, Split
from genbench.data.ring import Ring
from genbench.data.scaling import Scaling, scaling_for
from genbench.errors import DataError
from genbench.noise import Noise

IMAGE_SCALES = ("unit", "symmetric", "logit")


def images(levels: int) -> Data:
    x = torch.arange(levels).to(torch.uint8).repeat(4).reshape(4, 1, 1, levels)
    return Data("images", (1, 1, levels), Split(x), Split(x), classes=3, levels=levels)


@pytest.mark.parametrize("levels", [2, 17, 256])
@pytest.mark.parametrize("dequantise", [False, True])
@pytest.mark.parametrize("scale", IMAGE_SCALES)
def test_every_level_comes_back(scale: str, dequantise: bool, levels: int) -> None:
    data = images(levels)
    scaling = scaling_for(data, scale, dequantise)
    x = scaling.forward(data.test.x, Noise(0))
    assert x.dtype == torch.float32
    assert torch.equal(scaling.inverse(x), data.test.x)
    assert not scaling.clipped(x).any()


@pytest.mark.parametrize("scale", IMAGE_SCALES)
def test_ends_of_the_range(scale: str) -> None:
    scaling = scaling_for(images(256), scale, False)
    ends = scaling.forward(torch.tensor([[0, 255]], dtype=torch.uint8), Noise(0))[0].tolist()
    expected = {"unit": (0, 1), "symmetric": (-1, 1),
                "logit": (math.log(0.05 / 0.95), math.log(0.95 / 0.05))}
    assert ends == pytest.approx(expected[scale], abs=1e-5)


@pytest.mark.parametrize("scale", ["raw", "standard", *IMAGE_SCALES])
def test_log_det_against_autograd(scale: str) -> None:
    mean, std = torch.tensor([1.0, -2.0, 0.5]), torch.tensor([0.5, 3.0, 1.0])
    scaling = Scaling(scale, mean=mean.double(), std=std.double())  # type: ignore[arg-type]
    inside = torch.tensor([[0.1, 0.5, 0.99], [0.3, 0.7, 0.0]], dtype=torch.float64)

    def smooth(unit: torch.Tensor) -> torch.Tensor:
        """`forward` without the rounding to levels: what a point on the [0, 1] scale becomes."""
        if scale in ("raw", "standard"):
            return scaling.forward(unit, Noise(0))
        return Scaling(scale, levels=2).forward(_Exact(unit), Noise(0))  # type: ignore[arg-type]

    for row in inside:
        jacobian = torch.autograd.functional.jacobian(smooth, row)
        expected = torch.linalg.slogdet(jacobian).logabsdet
        got = scaling.log_det(smooth(row).unsqueeze(0))
        torch.testing.assert_close(got, expected.unsqueeze(0), atol=1e-9, rtol=1e-9)


class _Exact:
    """Stands for levels of which `float()` keeps double precision; two levels divide by one."""

    def __init__(self, value: torch.Tensor) -> None:
        self.value, self.shape = value, value.shape

    def float(self) -> torch.Tensor:
        return self.value


def test_dequantised_levels_fill_their_interval_evenly() -> None:
    scaling = Scaling("unit", True, 17)
    x = scaling.forward(torch.full((1, 50_000), 5, dtype=torch.uint8), Noise(1))
    assert float(x.min()) >= 5 / 17
    assert float(x.max()) < 6 / 17
    assert float(x.mean()) == pytest.approx(5.5 / 17, abs=3e-4)


def test_density_of_scaled_uniform_noise_is_one_on_the_unit_scale() -> None:
    """u ~ U[0, 1) per pixel, logit-scaled, has the density that `log_det` takes back to 0."""
    u = torch.rand(2000, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    x = torch.logit(0.05 + 0.9 * u)
    s = torch.sigmoid(x)
    log_density = (s * (1 - s) / 0.9).log().sum(1)  # of x, by the change of variables
    total = log_density + Scaling("logit", True).log_det(x)
    torch.testing.assert_close(total, torch.zeros_like(total), atol=1e-9, rtol=0)


def test_standard_scaling_has_the_exact_moments_of_a_toy() -> None:
    data = Ring().load(Path("/nonexistent"))
    scaling = scaling_for(data, "standard", False)
    x = scaling.forward(data.test.x, Noise(0))
    torch.testing.assert_close(x.std(0), torch.ones(2), atol=0.02, rtol=0)
    torch.testing.assert_close(scaling.inverse(x), data.test.x, atol=1e-5, rtol=1e-5)


def test_standard_scaling_of_points_without_a_truth_uses_the_training_split() -> None:
    rows = torch.tensor([[1.0, 10.0], [3.0, 30.0]])
    data = Data("points", (2,), Split(rows), Split(rows))
    scaling = scaling_for(data, "standard", False)
    torch.testing.assert_close(scaling.mean, torch.tensor([2.0, 20.0]))


def test_samples_out_of_range_are_counted_and_clamped() -> None:
    scaling = Scaling("symmetric", False, 256)
    x = torch.tensor([[-1.5, -1.001, 0.0, 1.001, 1.5], [0.0, 0.0, 0.0, 0.0, 3.0]])
    assert scaling.clipped(x).tolist() == pytest.approx([2 / 5, 1 / 5])
    assert scaling.inverse(x[0]).tolist() == [0, 0, 128, 255, 255]


@pytest.mark.parametrize("scale", ["raw", "standard", "nonsense"])
def test_a_scale_for_points_is_refused_for_images(scale: str) -> None:
    with pytest.raises(DataError, match="images take unit, symmetric, logit"):
        scaling_for(images(256), scale, False)


def test_space_tells_the_bounds() -> None:
    data = images(17)
    space = scaling_for(data, "symmetric", True).space(data)
    assert (space.low, space.high, space.levels, space.classes) == (-1, 1, 17, 3)
    assert space.dequantised
    assert scaling_for(data, "logit", False).space(data).low is None


def test_bytes_of_levels() -> None:
    assert images(17).bytes(torch.tensor([0, 8, 16]).to(torch.uint8)).tolist() == [0, 128, 255]
    assert images(2).bytes(torch.tensor([0, 1]).to(torch.uint8)).tolist() == [0, 255]
    assert images(256).bytes(torch.tensor([7]).to(torch.uint8)).tolist() == [7]
