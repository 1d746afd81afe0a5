"""The vector between two classes' mean latents, as in Radford, Metz and Chintala, 2016."""

from PIL import Image

from genbench.reporting.figures.base import FIRST, FigureKind
from genbench.reporting.figures.drawing.images import Line, line_sheet, no_classes
from genbench.reporting.figures.drawing.panels import Arrays, Panels


class Turn(FigureKind):
    """Images along the line from the mean latent of one class to that of another."""

    accepts = ("images",)
    rows = 16
    cite = "radford2016unsupervised"

    def lacks(self, arrays: Arrays) -> str:
        return no_classes(arrays, "turn")

    def caption(self, shown: Panels) -> str:
        return (
            "First line: from the mean latent of four samples of one class to that of another; "
            f"below, other latents moved by the same vector; of {FIRST}."
        )

    def draw(self, shown: Panels) -> Image.Image:
        return line_sheet(shown.panels, _lines)


def _lines(arrays: Arrays) -> list[Line]:
    return [("", images) for images in arrays["turn"]]
