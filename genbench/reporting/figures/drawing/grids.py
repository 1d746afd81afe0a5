"""Panels of one size side by side, a row of the suite in each."""

from collections.abc import Callable
from typing import Any

from PIL import Image

from genbench.reporting.figures.drawing.canvas import (
    PanelGrid,
    canvas,
    image_of,
    panel_titles,
    say,
)
from genbench.reporting.figures.drawing.panels import Arrays, Panels

COLUMNS = 3


def grid_sheet(
    shown: Panels, paint: Callable[[Any, Arrays, bool], None], *,
    panel: tuple[float, float] = (1.4, 1.25), gap: float = 0.42, right: float = 0.24,
    foot: float = 0.0, finish: Callable[[Any, PanelGrid], None] | None = None,
) -> Image.Image:
    """A picture with a panel for each row, at most three in a line; sizes are in inches.

    `paint` draws into the axes of a panel, given the row's arrays and whether the panel is the
    first of its line, where axes that all share are named. A row without arrays has its reason
    in the panel. `finish` draws into the `foot` below the panels.
    """
    panels = shown.panels
    columns = 2 if len(panels) == 4 else min(COLUMNS, len(panels))
    titles, above = panel_titles([one.title for one in panels], panel[0])
    grid = PanelGrid(len(panels), columns, panel, (0.53, right, above, 0.36 + foot),
                (gap, above + 0.36))
    with canvas(grid.size) as figure:
        labelled = -1
        for place, ax in enumerate(grid.axes(figure)):
            ax.set_title(titles[place], loc="left")
            if panels[place].why_not:
                say(ax, panels[place].why_not, panel[0])
                ax.tick_params(bottom=False, left=False, labelbottom=False, labelleft=False)
                continue
            paint(ax, panels[place].arrays, place // columns != labelled)
            labelled = place // columns
        if finish is not None:
            finish(figure, grid)
        return image_of(figure)
