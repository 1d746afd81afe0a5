"""Sheets of images: a block of samples for each row, or lines of images with labels."""

import math
import textwrap
from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image

from genbench.reporting.figures.drawing.palette import PAPER, font
from genbench.reporting.figures.drawing.panels import Arrays, Panel
from genbench.reporting.figures.drawing.png import write_text

BLOCK = 320
"""Side of a block of samples, pixels."""
GAP, TITLE, LETTERS = 16, 30, 20
"""Space between blocks, height of a title and size of its letters, pixels."""
SEAM = 3
"""Space between samples, pixels."""
CELL, LABEL_LETTERS = 40, 17
"""Side of a sample in a line and the size of the letters beside it, pixels."""
EACH = 10
"""Samples in a line of a component."""
COLUMNS, MANY = 4, 16
"""Blocks in a line, and the number from which there are half as many more."""
PAIR = 2
"""Rows of a suite side by side in a sheet by component: on paper its letters are 7 points."""


Line = tuple[str, np.ndarray]
"""A label and images (n, C, H, W)."""


def sample_sheet(panels: Sequence[Panel]) -> Image.Image:
    """A block of the samples, bytes (N, C, H, W), of each row."""
    # So that a sheet of 36 is no higher than 2,200 pixels.
    columns = min(COLUMNS, len(panels)) if len(panels) <= MANY else COLUMNS * 3 // 2
    rows = -(-len(panels) // columns)
    blocks = [_words(one.why_not) if one.why_not else _block(one.arrays["samples"])
              for one in panels]
    width = max(block.width for block in blocks)
    height = max(block.height for block in blocks)
    size = (columns * (width + GAP) + GAP, rows * (height + TITLE + GAP) + GAP)
    sheet = Image.new("RGB", size, PAPER)
    for index, (panel, block) in enumerate(zip(panels, blocks, strict=True)):
        left = GAP + (index % columns) * (width + GAP)
        top = GAP + (index // columns) * (height + TITLE + GAP)
        write_text(sheet, (left, top), panel.title, LETTERS, width=width)
        sheet.paste(block, (left, top + TITLE))
    return sheet


def line_sheet(
    panels: Sequence[Panel], lines_of: Callable[[Arrays], Sequence[Line]]
) -> Image.Image:
    """Lines of images with a label beside each, in pairs of rows of the suite."""
    blocks = [(one.title, [] if one.why_not else lines_of(one.arrays), one.why_not)
              for one in panels]
    columns = min(PAIR, len(blocks))
    longest = max((len(images) for _, lines, _ in blocks for _, images in lines), default=EACH)
    letters = font(LABEL_LETTERS)
    widest = max((letters.getlength(label) for _, lines, _ in blocks for label, _ in lines),
                 default=0.0)
    indent = math.ceil(widest) + 12 if widest else 0
    width = max(BLOCK, indent + longest * (CELL + SEAM) - SEAM)
    rows = [blocks[i : i + columns] for i in range(0, len(blocks), columns)]
    deep = [max(4 if why else len(lines) for _, lines, why in row) for row in rows]
    heights = [TITLE + lines * (CELL + SEAM) + GAP for lines in deep]
    sheet = Image.new("RGB", (columns * (width + GAP) + GAP, sum(heights) + GAP), PAPER)
    for row, row_blocks in enumerate(rows):
        for column, (title, lines, why) in enumerate(row_blocks):
            left, top = GAP + column * (width + GAP), GAP + sum(heights[:row])
            write_text(sheet, (left, top), title, LETTERS, width=width)
            if why:
                sheet.paste(_words(why), (left, top + TITLE))
            for number, (label, images) in enumerate(lines):
                y = top + TITLE + number * (CELL + SEAM)
                write_text(sheet, (left, y + CELL / 2), label, LABEL_LETTERS, anchor="lm")
                sheet.paste(image_grid(images, len(images), CELL), (left + indent, y))
    return sheet


def component_lines(arrays: Arrays) -> list[Line]:
    """A line of samples (≤ 10, C, H, W) for each component, with its weight beside it.

    A row without components shows its samples.
    """
    if "component_samples" in arrays:
        weights = arrays["component_weights"]
        return [
            (f"{c}: {100 * weights[c]:.1f} %", images[:EACH])
            for c, images in enumerate(arrays["component_samples"])
        ]
    images = arrays.get("samples", np.empty(0))
    return [("", images[i : i + EACH]) for i in range(0, len(images), EACH)]


def no_classes(arrays: Arrays, name: str) -> str:
    """Why there is no walk of this name between classes of a latent space."""
    if name in arrays:
        return ""
    return "its samples are not decoded latents, or look like fewer than three classes"


def _words(why: str) -> Image.Image:
    """Words in the place of a block of samples."""
    picture = Image.new("RGB", (BLOCK, 4 * (CELL + SEAM)), PAPER)
    lines = textwrap.wrap(why, BLOCK // 11, max_lines=6, placeholder=" …") or [""]
    for number, line in enumerate(lines):
        write_text(picture, (0, number * 24), line, LABEL_LETTERS, width=BLOCK)
    return picture


def _block(images: np.ndarray) -> Image.Image:
    """k × k samples as one picture, about BLOCK pixels wide."""
    k = min(8, max(2, BLOCK // max(images.shape[2:])))
    return image_grid(images[: k * k], k, BLOCK // k - SEAM, rows=k)


def image_grid(images: np.ndarray, columns: int, side: int, rows: int = 0) -> Image.Image:
    """Images (N, C, H, W) in rows, the longer side of each brought to `side` pixels."""
    height, width = images.shape[2:]
    scale = side / max(height, width)
    across, down = max(1, round(width * scale)), max(1, round(height * scale))
    rows = rows or -(-len(images) // columns)
    size = (columns * (across + SEAM) - SEAM, rows * (down + SEAM) - SEAM)
    grid = Image.new("RGB", size, PAPER)
    for index, image in enumerate(images):
        picture = Image.fromarray(_pixels(image)).resize((across, down), Image.Resampling.BICUBIC)
        corner = ((index % columns) * (across + SEAM), (index // columns) * (down + SEAM))
        grid.paste(picture, corner)
    return grid


def _pixels(image: np.ndarray) -> np.ndarray:
    """(C, H, W) as (H, W, 3): the first three channels, or the first one as grey."""
    colours = image[:3] if len(image) >= 3 else image[:1].repeat(3, axis=0)
    return np.ascontiguousarray(colours.transpose(1, 2, 0))
