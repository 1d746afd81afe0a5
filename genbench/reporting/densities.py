"""Panels of 2-D models: the log density in bands, samples over it, coloured by component.

Every panel has the same axes and the same bands: nats below the peak of the true density (of the
first model where the truth is not known), so that panels can be compared by eye.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from genbench.reporting.palette import INK, PAPER, SAMPLE, ramp, rgb
from genbench.reporting.palette import colour as colour_of
from genbench.reporting.png import write_text

__all__ = ["Panel", "columns_of", "density_sheet"]

SIDE = 300
"""Side of a panel, pixels; drawn at twice the size and then reduced, which smooths edges."""
COLUMNS, MANY = 4, 16
"""Panels in a line, and the number from which there are half as many more."""
GAP, TITLE, LETTERS, TICKS = 16, 28, 17, 13
LEFT, BOTTOM = 40, 26
"""Room for the axes' numbers, pixels."""
LEGEND, BOX = 860, 40
"""Width of the legend and of each of its boxes, pixels."""
DEPTHS = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0)
"""The edges of the bands, nats below the peak."""
POINTS = 600
"""Samples drawn in a panel."""
DOT, OPACITY = 2.4, 0.85
"""Radius of a sample at twice the size, pixels, and its opacity."""
LINE = "#9AA7B5"
Range = tuple[float, float, float, float]


@dataclass(frozen=True)
class Panel:
    """One model: samples (N, 2) and, where it has them, log density on a grid and components.

    `grid` is x0, x1, y0, y1; `log_density` (G, G) holds rows of y at evenly spaced nodes, nats.
    """

    title: str
    samples: np.ndarray
    grid: np.ndarray | None = None
    log_density: np.ndarray | None = None
    components: np.ndarray | None = None


def density_sheet(panels: Sequence[Panel]) -> Image.Image:
    """The panels side by side, with common axes and one scale of bands."""
    columns = columns_of(len(panels))
    rows = -(-len(panels) // columns)
    peak = _peak(panels)
    view = _view(panels)
    step = (SIDE + GAP, SIDE + TITLE + GAP)
    legend = 46 if peak is not None else 0
    width = max(LEFT + columns * step[0] + GAP, LEFT + LEGEND if legend else 0)
    sheet = Image.new("RGB", (width, rows * step[1] + GAP + BOTTOM + legend), PAPER)
    for index, panel in enumerate(panels):
        left = LEFT + (index % columns) * step[0]
        top = GAP + (index // columns) * step[1]
        write_text(sheet, (left, top), panel.title, LETTERS, width=SIDE)
        sheet.paste(_picture(panel, view, peak), (left, top + TITLE))
        lowest = index + columns >= len(panels)
        _axes(sheet, (left, top + TITLE), view, left_one=index % columns == 0, lowest=lowest)
    if peak is not None:
        _legend(sheet, (LEFT, sheet.height - legend + 4))
    return sheet


def columns_of(count: int) -> int:
    """Panels in a line, so that a sheet of 36 is no higher than 2,200 pixels."""
    return min(COLUMNS, count) if count <= MANY else COLUMNS * 3 // 2


def _peak(panels: Sequence[Panel]) -> float | None:
    for panel in panels:
        if panel.log_density is not None:
            finite = panel.log_density[np.isfinite(panel.log_density)]
            if finite.size:
                return float(finite.max())
    return None


def _view(panels: Sequence[Panel]) -> Range:
    """A square range of both axes: that of the stored grids, or of the first panel's samples."""
    grids = [panel.grid for panel in panels if panel.grid is not None]
    if grids:
        x0, x1, y0, y1 = (float(value) for value in grids[0])
    else:
        first = panels[0].samples
        low, high = np.quantile(first[np.isfinite(first).all(1)], [0.002, 0.998], axis=0)
        (x0, y0), (x1, y1) = low - 0.1 * (high - low), high + 0.1 * (high - low)
    half = max(x1 - x0, y1 - y0, 1e-6) / 2
    x, y = (x0 + x1) / 2, (y0 + y1) / 2
    return float(x - half), float(x + half), float(y - half), float(y + half)


def _picture(panel: Panel, view: Range, peak: float | None) -> Image.Image:
    size = 2 * SIDE
    picture = Image.new("RGB", (size, size), PAPER)
    if panel.log_density is not None and panel.grid is not None and peak is not None:
        picture = Image.fromarray(_bands(panel.log_density, panel.grid, view, peak, size))
    picture = Image.blend(picture, _dotted(picture, panel, view), OPACITY)
    return picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def _bands(
    log_density: np.ndarray, grid: np.ndarray, view: Range, peak: float, size: int
) -> np.ndarray:
    """Filled bands with lines at their edges, (size, size, 3) uint8, the y axis upwards."""
    floor = peak - 4 * DEPTHS[-1]
    values = np.nan_to_num(log_density.astype(float), nan=floor, posinf=peak, neginf=floor)
    values = values.clip(floor, None)
    across = _weights(view[0], view[1], float(grid[0]), float(grid[1]), values.shape[1], size)
    up = _weights(view[2], view[3], float(grid[2]), float(grid[3]), values.shape[0], size)
    inside = np.outer(up.sum(1) > 0, across.sum(1) > 0)
    fine = np.where(inside, up @ values @ across.T, floor)[::-1]  # (size, size), top row first
    edges = peak - np.array(DEPTHS[::-1])
    band = np.searchsorted(edges, fine)
    colours = np.concatenate([[rgb(PAPER)], ramp(len(DEPTHS))]).astype(np.uint8)
    pixels = colours[band]
    line = np.zeros(band.shape, dtype=bool)
    line[:-1] |= band[:-1] != band[1:]
    line[:, :-1] |= band[:, :-1] != band[:, 1:]
    pixels[line] = (pixels[line] * 0.82).astype(np.uint8)
    return pixels


def _weights(low: float, high: float, first: float, last: float, n: int, size: int) -> np.ndarray:
    """Linear interpolation from n nodes in [first, last] to `size` pixel centres, (size, n)."""
    centres = low + (np.arange(size) + 0.5) / size * (high - low)
    at = (centres - first) / (last - first) * (n - 1)
    inside = (at >= 0) & (at <= n - 1)
    left = np.clip(np.floor(at).astype(int), 0, n - 2)
    weights = np.zeros((size, n))
    rows = np.arange(size)
    weights[rows, left] = np.where(inside, 1 - (at - left), 0)
    weights[rows, left + 1] = np.where(inside, at - left, 0)
    return weights


def _dotted(picture: Image.Image, panel: Panel, view: Range) -> Image.Image:
    """A copy with the samples as opaque dots, to be blended with the picture below."""
    dotted = picture.copy()
    draw = ImageDraw.Draw(dotted)
    samples = panel.samples[:POINTS].astype(float)
    x = (samples[:, 0] - view[0]) / (view[1] - view[0]) * dotted.width
    y = (view[3] - samples[:, 1]) / (view[3] - view[2]) * dotted.height
    near = (np.abs(x) < 1e4) & (np.abs(y) < 1e4)  # false for NaN and infinity too
    components = panel.components
    for index in np.flatnonzero(near):
        colour = SAMPLE if components is None else colour_of(int(components[index]))
        draw.circle((x[index], y[index]), DOT, fill=colour)
    return dotted


def _axes(
    sheet: Image.Image, corner: tuple[int, int], view: Range, *, left_one: bool, lowest: bool
) -> None:
    """The frame, and numbers where a panel stands at the left or the lower edge."""
    left, top = corner
    draw = ImageDraw.Draw(sheet)
    draw.rectangle((left, top, left + SIDE - 1, top + SIDE - 1), outline=LINE)
    for value in _ticks(view[0], view[1]) if lowest else []:
        x = left + (value - view[0]) / (view[1] - view[0]) * SIDE
        draw.line((x, top + SIDE, x, top + SIDE + 4), fill=LINE)
        write_text(sheet, (x, top + SIDE + 6), f"{value:g}", TICKS, anchor="ma")
    for value in _ticks(view[2], view[3]) if left_one else []:
        y = top + (view[3] - value) / (view[3] - view[2]) * SIDE
        draw.line((left - 4, y, left, y), fill=LINE)
        write_text(sheet, (left - 7, y), f"{value:g}", TICKS, anchor="rm")


def _ticks(low: float, high: float) -> list[float]:
    """About four round numbers within a range."""
    raw = (high - low) / 4
    power = 10 ** np.floor(np.log10(raw))
    step = float(min((m * power for m in (1, 2, 5, 10)), key=lambda size: abs(size - raw)))
    first, last = int(np.ceil(low / step)), int(np.floor(high / step))
    return [round(k * step, 10) for k in range(first, last + 1)]


def _legend(sheet: Image.Image, corner: tuple[int, int]) -> None:
    """The scale of the bands."""
    left, top = corner
    text = "log density, nats below the peak of the first panel that has one:"
    write_text(sheet, (left, top + 10), text, TICKS, anchor="lm")
    draw = ImageDraw.Draw(sheet)
    x = left + 470
    for colour, depth in zip(ramp(len(DEPTHS)), DEPTHS[::-1], strict=True):
        fill = tuple(int(channel) for channel in colour)
        draw.rectangle((x, top, x + BOX, top + 18), fill=fill, outline=LINE)
        write_text(sheet, (x, top + 21), f"{depth:g}", TICKS - 1, anchor="ma", colour=INK)
        x += BOX
    write_text(sheet, (x, top + 21), "0", TICKS - 1, anchor="ma")
