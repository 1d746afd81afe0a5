"""Sheets of image samples: one block of samples for each method, side by side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from genbench.reporting.palette import PAPER
from genbench.reporting.png import write_text

__all__ = ["sample_sheet"]

BLOCK = 320
"""Side of a block of samples, pixels."""
COLUMNS = 4
GAP, TITLE, LETTERS = 16, 30, 18
"""Space between blocks, height of a title and size of its letters, pixels."""
SMALL = 16
"""Images up to this side are enlarged without smoothing, so that their pixels show."""


def sample_sheet(panels: Sequence[tuple[str, np.ndarray]]) -> Image.Image:
    """Blocks of samples with their titles; each panel is a title and bytes (N, C, H, W) uint8."""
    columns = min(COLUMNS, len(panels))
    rows = -(-len(panels) // columns)
    blocks = [_block(images) for _, images in panels]
    width = max(block.width for block in blocks)
    height = max(block.height for block in blocks)
    size = (columns * (width + GAP) + GAP, rows * (height + TITLE + GAP) + GAP)
    sheet = Image.new("RGB", size, PAPER)
    for index, ((title, _), block) in enumerate(zip(panels, blocks, strict=True)):
        left = GAP + (index % columns) * (width + GAP)
        top = GAP + (index // columns) * (height + TITLE + GAP)
        write_text(sheet, (left, top), title, LETTERS, width=width)
        sheet.paste(block, (left, top + TITLE))
    return sheet


def _block(images: np.ndarray) -> Image.Image:
    """k × k samples as one picture, about BLOCK pixels wide."""
    side = max(images.shape[2:])
    k = min(8, max(2, BLOCK // side))
    count, channels, height, width = images[: k * k].shape
    colours = images[: k * k, :3] if channels >= 3 else images[: k * k, :1].repeat(3, axis=1)
    grid = np.full((k * k, 3, height, width), 255, dtype=np.uint8)
    grid[:count] = colours
    # (k·k, 3, H, W) → rows of samples (k·H, k·W, 3)
    grid = grid.reshape(k, k, 3, height, width).transpose(0, 3, 1, 4, 2)
    picture = Image.fromarray(np.ascontiguousarray(grid.reshape(k * height, k * width, 3)))
    if side <= SMALL:
        scale = max(1, BLOCK // (k * side))
        size = (picture.width * scale, picture.height * scale)
        return picture.resize(size, Image.Resampling.NEAREST)
    scale_to = BLOCK / (k * side)
    size = (round(picture.width * scale_to), round(picture.height * scale_to))
    return picture.resize(size, Image.Resampling.BICUBIC)
