"""Images along straight lines of the latent space."""

from PIL import Image

from genbench.reporting.figures.base import FIRST, FigureKind
from genbench.reporting.figures.drawing.images import Line, line_sheet
from genbench.reporting.figures.drawing.panels import Arrays, Panels


class Interpolation(FigureKind):
    """Images along straight lines between two latents."""

    accepts = ("images",)
    rows = 10

    def lacks(self, arrays: Arrays) -> str:
        return "" if "interpolation" in arrays else "its samples are not decoded latents"

    def caption(self, shown: Panels) -> str:
        return f"Images along straight lines between two latents, of {FIRST}."

    def draw(self, shown: Panels) -> Image.Image:
        return line_sheet(shown.panels, _lines)


def _lines(arrays: Arrays) -> list[Line]:
    return [("", images) for images in arrays["interpolation"]]
