"""The key of dots: what is data, what are samples, and the components of a mixture."""

from collections.abc import Iterable, Sequence
from typing import Any

from genbench.reporting.figures.drawing.canvas import LINE, inches_of
from genbench.reporting.figures.drawing.palette import SAMPLE, colour
from genbench.reporting.figures.drawing.panels import Arrays

REAL_COLOUR = "#B9C2CC"
Entry = tuple[str, str]
"""A label and the colour of its dot."""
DOT, GAP = 0.14, 0.16
"""Inches from a dot to its label, and between entries."""


def entries_of(shown: Iterable[Arrays], *, data: bool) -> list[Entry]:
    """The entries for what panels show, given their arrays."""
    arrays = [one for one in shown if "samples" in one]
    found = [("data", REAL_COLOUR)] if data else []
    if any("components" not in one for one in arrays):
        found.append(("samples", SAMPLE))
    parts = [one["components"] for one in arrays if "components" in one]
    last = max((int(part.max()) for part in parts if len(part)), default=-1)
    return found + [
        (f"{'component ' * (c == 0)}{c}", colour(c)) for c in range(last + 1)
    ]


def key_lines(entries: Sequence[Entry], room: float) -> list[list[Entry]]:
    """The entries in lines of this many inches."""
    lines: list[list[Entry]] = []
    left = 0.0
    for label, shade in entries:
        wide = DOT + inches_of(label) + GAP
        if not lines or left < wide:
            lines.append([])
            left = room
        lines[-1].append((label, shade))
        left -= wide
    return lines


def draw_key(figure: Any, lines: Sequence[Sequence[Entry]], left: float) -> None:
    """Draw the lines at the foot of the figure, from `left` inches on."""
    from matplotlib.lines import Line2D

    width, height = figure.get_size_inches()
    for number, line in enumerate(lines):
        x, y = left, 0.03 + LINE * (len(lines) - number - 0.5)
        for label, shade in line:
            figure.add_artist(Line2D([(x + 0.05) / width], [y / height], marker="o", markersize=3,
                                     linestyle="none", color=shade))
            figure.text((x + DOT) / width, y / height, label, va="center_baseline")
            x += DOT + inches_of(label) + GAP
