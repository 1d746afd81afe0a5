"""Colours that stay apart for every kind of colour vision, and the fonts of pictures.

- M. Okabe and K. Ito, Color Universal Design, 2008, https://jfly.uni-koeln.de/color/
"""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import ImageFont

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7A5195", "#444444")
"""Okabe and Ito's, darkest contrast first; their yellow, too pale for thin lines, is a violet."""
DASHES = ("-", "--", "-.", ":")
"""Line styles, changed after every round of colours."""
Dashes = str | tuple[int, tuple[float, ...]]
INK, PAPER = "#222222", "#FFFFFF"
SAMPLE = "#D55E00"
"""Samples drawn over a density."""
_RAMP = ("#F2F4F7", "#DCE2E9", "#C0CAD6", "#A2B0C1", "#8496AB", "#6A7E96")


def rgb(colour: str) -> tuple[int, int, int]:
    """`#RRGGBB` as three bytes."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def dashes(index: int) -> Dashes:
    """The line style of a round of colours; no two rounds have the same."""
    beyond = index - len(DASHES)
    return DASHES[index] if beyond < 0 else (0, (6.0, 1.2) + (1.2, 1.2) * (beyond + 2))


def colour(index: int) -> str:
    """The colour of the component at this place: `COLOURS`, then darker and paler ones."""
    rounds = index // len(COLOURS)
    share = 1 - 0.6 ** ((rounds + 1) // 2)
    towards = 0 if rounds % 2 else 255
    mixed = (round((1 - share) * c + share * towards) for c in rgb(COLOURS[index % len(COLOURS)]))
    return "#{:02X}{:02X}{:02X}".format(*mixed)


def ramp(steps: int) -> np.ndarray:
    """A slate ramp from pale to mid, on which coloured dots stand out, (steps, 3) uint8."""
    anchors = np.array([rgb(colour) for colour in _RAMP], dtype=float)
    at = np.linspace(0, len(anchors) - 1, steps)
    channels = [np.interp(at, np.arange(len(anchors)), anchors[:, c]) for c in range(3)]
    return np.stack(channels, 1).round().astype(np.uint8)


@cache
def font(size: int, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    """DejaVu Sans as matplotlib ships it, so that pictures look alike on every machine.

    The file is found without importing matplotlib.
    """
    spec = find_spec("matplotlib")
    assert spec is not None, "matplotlib is a core dependency"
    folder = Path(spec.origin or "").parent / "mpl-data" / "fonts" / "ttf"
    return ImageFont.truetype(folder / f"DejaVuSans{'-Bold' if bold else ''}.ttf", size)
