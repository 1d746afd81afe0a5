"""Matplotlib as reports use it: one style, the same bytes everywhere, imported when needed.

Sizes are inches on paper: a pair of panels fits a column of 8.5 cm (3.35 inches) with letters of
7 points or more, three panels a page.
"""

import io
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from PIL import Image

from genbench.reporting.figures.drawing.palette import COLOURS, INK, dashes, font

LETTERS, DPI = 8.0, 240
"""Size of letters in points, and dots to an inch."""
LINE = LETTERS / 72 * 1.25
"""Height of a line of text, inches."""
STYLE: dict[str, Any] = {
    "font.size": LETTERS, "axes.titlesize": LETTERS, "axes.labelsize": LETTERS,
    "xtick.labelsize": LETTERS, "ytick.labelsize": LETTERS, "legend.fontsize": LETTERS,
    "axes.edgecolor": "#9AA7B5", "axes.linewidth": 0.6, "axes.spines.top": False,
    "axes.spines.right": False, "axes.grid": True, "axes.titlepad": 3, "axes.labelpad": 2,
    "axes.axisbelow": True,
    "grid.color": "#E3E8ED", "grid.linewidth": 0.5, "xtick.color": INK, "ytick.color": INK,
    "xtick.major.size": 2.5, "ytick.major.size": 2.5, "xtick.major.width": 0.6,
    "ytick.major.width": 0.6, "xtick.major.pad": 2, "ytick.major.pad": 2, "text.color": INK,
    "axes.labelcolor": INK, "lines.linewidth": 1.1, "legend.frameon": False,
    "legend.handlelength": 1.6, "legend.columnspacing": 1.2, "font.family": "DejaVu Sans",
    "axes.unicode_minus": True,
}


@dataclass(frozen=True)
class PanelGrid:
    """Where `count` equal panels lie on a sheet, all in inches."""

    count: int
    columns: int
    panel: tuple[float, float]
    """Width and height of a panel."""
    margins: tuple[float, float, float, float]
    """Left, right, top and bottom of the sheet."""
    gaps: tuple[float, float]
    """Between panels, across and down."""

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of the sheet."""
        left, right, top, bottom = self.margins
        rows = -(-self.count // self.columns)
        across = self.columns * self.panel[0] + (self.columns - 1) * self.gaps[0]
        down = rows * self.panel[1] + (rows - 1) * self.gaps[1]
        return left + across + right, top + down + bottom

    def axes(self, figure: Any) -> list[Any]:
        """The panels, line by line."""
        width, height = self.size
        (wide, high), (across, down) = self.panel, self.gaps
        made = []
        for index in range(self.count):
            row, column = divmod(index, self.columns)
            x = self.margins[0] + column * (wide + across)
            y = height - self.margins[2] - high - row * (high + down)
            made.append(figure.add_axes((x / width, y / height, wide / width, high / height)))
        return made


@contextmanager
def canvas(size: tuple[float, float]) -> Iterator[Any]:
    """A figure of this width and height in inches, in the reports' style, never the user's own.

    Importing matplotlib costs most of a second: not for a report whose figures are kept.
    """
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with matplotlib.rc_context(), warnings.catch_warnings():
        # a letter that the font has not is drawn as a box, and nothing for a terminal
        warnings.filterwarnings("ignore", r"Glyph \d+")
        matplotlib.rcdefaults()
        parameters: Any = matplotlib.rcParams
        parameters.update(STYLE)
        figure = Figure(figsize=size, dpi=DPI)
        FigureCanvasAgg(figure)
        yield figure


def image_of(figure: Any) -> Image.Image:
    """The figure as pixels."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="rgba")
    size = (int(figure.bbox.width), int(figure.bbox.height))
    return Image.frombytes("RGBA", size, buffer.getvalue()).convert("RGB")


def panel_titles(titles: Sequence[str], inches: float, *, lines: int = 2) -> tuple[
    list[str], float
]:
    """Titles in lines that fit panels of this width, and the inches that they take above."""
    made = [wrapped(title, inches, lines=lines) for title in titles]
    return made, LINE * (1 + max((title.count("\n") for title in made), default=0)) + 0.06


def look(style: int) -> dict[str, Any]:
    """The colour and the dashes of the row at this place; no two places have both alike."""
    return {"color": COLOURS[style % len(COLOURS)], "linestyle": dashes(style // len(COLOURS))}


def say(ax: Any, text: str, inches: float) -> None:
    """Words in the place of what a panel of this width has nothing to show of."""
    ax.grid(visible=False)
    ax.text(0.5, 0.5, wrapped(text, 0.92 * inches, lines=7), transform=ax.transAxes, ha="center",
            va="center")


def wrapped(text: str, inches: float, *, lines: int = 2) -> str:
    """The text in lines of at most this width; an ellipsis ends what takes more lines."""
    made = [""]
    for word in text.split():
        if made[-1] and inches_of(f"{made[-1]} {word}") <= inches:
            made[-1] += f" {word}"
            continue
        made += [""] if made[-1] else []
        for letter in word:
            made += [""] if inches_of(made[-1] + letter) > inches else []
            made[-1] += letter
    if len(made) > lines:
        last = made[lines - 1]
        while last and inches_of(last + "…") > inches:
            last = last[:-1]
        made = [*made[: lines - 1], last + "…"]
    return "\n".join(made)


def inches_of(text: str) -> float:
    """The width of a line of text."""
    return font(100).getlength(text) / 100 * LETTERS / 72
