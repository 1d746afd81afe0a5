"""Histograms of critics' weights: one panel for each row, the counts on a logarithmic axis."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from genbench.reporting.canvas import canvas, png_bytes
from genbench.reporting.palette import COLOURS
from genbench.reporting.planes import Plane

__all__ = ["weight_sheet"]

BINS, COLUMNS = 61, 3


def weight_sheet(planes: Sequence[Plane], mark: str) -> bytes:
    """A PNG of the panels; bins span each row's own range, which is what clipping changes."""
    columns = min(COLUMNS, len(planes))
    rows = -(-len(planes) // columns)
    width, height = 2.8 * columns + 0.4, 2.3 * rows + 0.3
    with canvas(width, height, dpi=150) as figure:
        axes = list(figure.subplots(rows, columns, squeeze=False, sharey=True).flat)
        for place, (ax, plane) in enumerate(zip(axes, planes, strict=False)):
            ax.set_title(plane.title, loc="left", fontsize=9)
            ax.set_xlabel("weight")
            if place % columns == 0:
                ax.set_ylabel("count")
            why = plane.why_not or ("" if "critic_weights" in plane.arrays else "no critic")
            if why:
                ax.text(0.5, 0.5, why, transform=ax.transAxes, ha="center", fontsize=8)
                continue
            weights = plane.arrays["critic_weights"].astype(float)
            end = float(np.abs(weights).max()) * 1.02 or 1.0
            ax.hist(weights, bins=np.linspace(-end, end, BINS), color=COLOURS[0], log=True)
            ax.locator_params(axis="x", nbins=5)
        for ax in axes[len(planes):]:
            ax.set_axis_off()
        figure.subplots_adjust(
            left=0.62 / width, right=0.985, top=1 - 0.28 / height, bottom=0.48 / height,
            wspace=0.1, hspace=0.5,
        )
        return png_bytes(figure, mark)
