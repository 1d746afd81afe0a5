"""Matplotlib as reports use it: one style, the same bytes everywhere, imported when needed."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from genbench.reporting.palette import COLOURS, DASHES, INK
from genbench.reporting.png import KEY

__all__ = ["STYLE", "canvas", "look", "png_bytes"]

STYLE: dict[str, Any] = {
    "font.size": 9, "axes.titlesize": 10, "axes.labelsize": 9, "axes.edgecolor": "#9AA7B5",
    "axes.linewidth": 0.8, "axes.spines.top": False, "axes.spines.right": False,
    "axes.grid": True, "grid.color": "#E3E8ED", "grid.linewidth": 0.6, "xtick.color": INK,
    "ytick.color": INK, "text.color": INK, "lines.linewidth": 1.5, "legend.frameon": False,
    "font.family": "DejaVu Sans",
}


@contextmanager
def canvas(width: float, height: float, dpi: int = 110) -> Iterator[Any]:
    """A figure of this size in inches, in the reports' style and never the user's own.

    Importing matplotlib costs most of a second: not for a report whose figures are kept.
    """
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        parameters: Any = matplotlib.rcParams
        parameters.update(STYLE)
        figure = Figure(figsize=(width, height), dpi=dpi)
        FigureCanvasAgg(figure)
        yield figure


def png_bytes(figure: Any, mark: str) -> bytes:
    """The figure as PNG, with the digest of its inputs and nothing else besides."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None, KEY: mark})
    return buffer.getvalue()


def look(style: int) -> dict[str, Any]:
    """The colour and the dashes of the row at this place of the suite."""
    rounds = style // len(COLOURS)
    return {"color": COLOURS[style % len(COLOURS)], "linestyle": DASHES[rounds % len(DASHES)]}
