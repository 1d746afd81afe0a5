"""Samples as they are: sheets of images, or points of the plane over data in grey."""

from typing import Any

import numpy as np
from PIL import Image

from genbench.reporting.figures.base import FIRST, FigureKind
from genbench.reporting.figures.drawing.images import component_lines, line_sheet, sample_sheet
from genbench.reporting.figures.drawing.key import REAL_COLOUR, entries_of
from genbench.reporting.figures.drawing.panels import Arrays, Panels
from genbench.reporting.figures.drawing.planes import dots, no_plane, note_outside, plane_sheet
from genbench.reporting.figures.stored import Stored

POINTS, REAL_POINTS = 600, 2000
"""Samples, and points of the data, drawn in a panel."""
BY_COMPONENT = 8
"""Rows on a sheet with a line for each component."""


class Samples(FigureKind):
    """Sheets of images, or points of the plane, coloured by component, over data in grey."""

    automatic = ("images",)
    shows_real = True
    refuses = (({"by_component": True, "data": "points"},
                "by_component is for samples of images; points are coloured by component anyway"),)

    by_component: bool = False
    """Of images: a line of the sheet for each component of a mixture."""

    def applies(self, stored: Stored) -> bool:
        return stored.dims in (0, 2)

    def lacks(self, arrays: Arrays) -> str:
        samples = arrays.get("samples")
        points = samples is not None and samples.ndim == 2
        return super().lacks(arrays) or (no_plane(arrays["samples"]) if points else "")

    def rows_on_a_sheet(self, stored: Stored) -> int:
        """Fewer by component, whose lines take more room."""
        return BY_COMPONENT if self.by_component else self.rows

    def caption(self, shown: Panels) -> str:
        if any(arrays["samples"].ndim == 2 for arrays in shown.drawn):
            return f"Samples of {FIRST}, coloured by component in a mixture, over data in grey."
        line = ", a line for each component of a mixture, with its weight"
        return f"Samples of {FIRST}{line if self.by_component else ''}."

    def draw(self, shown: Panels) -> Image.Image:
        if any(arrays["samples"].ndim == 2 for arrays in shown.drawn):
            return point_sheet(shown)
        if self.by_component:
            return line_sheet(shown.panels, component_lines)
        return sample_sheet(shown.panels)


def point_sheet(shown: Panels, *, count: int = POINTS) -> Image.Image:
    """Points of the plane, of each row's samples the first `count`."""
    data = shown.real.get("samples")

    def paint(ax: Any, arrays: Arrays) -> None:
        if data is not None:
            dots(ax, data[:REAL_POINTS], size=1.5, colour=REAL_COLOUR, alpha=1.0)
        samples: np.ndarray = arrays["samples"][:count]
        dots(ax, samples, arrays.get("components"))
        note_outside(ax, samples)

    return plane_sheet(shown, paint, key=entries_of(shown.drawn, data=data is not None))
