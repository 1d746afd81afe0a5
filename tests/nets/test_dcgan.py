"""Convolutional networks for images of any size from 8×8 on."""

from __future__ import annotations

import pytest
import torch

from genbench.errors import GenbenchError
from genbench.nets.dcgan import Upsampler, downsampler, num_downsamplings

SHAPES = [(1, 8, 8), (1, 28, 28), (3, 32, 32), (3, 9, 13), (1, 30, 47), (4, 64, 64)]


@pytest.mark.parametrize(("side", "times"), [(8, 1), (15, 1), (16, 2), (28, 2), (32, 3), (64, 4)])
def test_downsampling_leaves_at_least_four_pixels(side: int, times: int) -> None:
    assert num_downsamplings((1, side, side + 5)) == times


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes(shape: tuple[int, ...]) -> None:
    images = Upsampler(5, shape, 2)(torch.randn(3, 5))
    assert images.shape == (3, *shape)
    trunk, features = downsampler(shape, 2, "none")
    assert trunk(images).shape == (3, features)


def test_the_published_layers_at_64_pixels() -> None:
    up = Upsampler(100, (3, 64, 64), 64)
    assert up.project.weight.shape == (512 * 4 * 4, 100)
    widths = [layer.in_channels for layer in up.layers if hasattr(layer, "in_channels")]
    assert widths == [512, 256, 128, 64]
    trunk, features = downsampler((3, 64, 64), 64, "batch")
    widths = [layer.out_channels for layer in trunk if hasattr(layer, "out_channels")]
    assert widths == [64, 128, 256, 512]
    assert features == 512 * 4 * 4


def test_every_pixel_is_reached_when_the_size_is_cropped() -> None:
    torch.manual_seed(0)
    images = Upsampler(5, (1, 30, 30), 4)(torch.randn(8, 5))
    assert (images.std(0) > 0).all()


def test_too_small_images_are_refused_in_one_line() -> None:
    with pytest.raises(GenbenchError, match=r"at least 8×8 pixels, not 7×9") as error:
        Upsampler(5, (1, 7, 9), 4)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("norm", ["none", "layer"])
def test_examples_do_not_see_one_another(norm: str) -> None:
    torch.manual_seed(0)
    trunk, _ = downsampler((1, 16, 16), 4, norm)
    x = torch.randn(6, 1, 16, 16)
    torch.testing.assert_close(trunk(x)[:2], trunk(x[:2]))


def test_batch_norm_sees_the_batch_at_hand_and_keeps_no_moments() -> None:
    torch.manual_seed(0)
    trunk, _ = downsampler((1, 16, 16), 4, "batch")
    x = torch.randn(6, 1, 16, 16)
    assert not torch.allclose(trunk(x)[:2], trunk(x[:2]))
    assert not list(trunk.buffers())
