"""Latent arithmetic on classes, as in Radford, Metz and Chintala, 2016."""

from PIL import Image

from genbench.reporting.figures.base import FIRST, FigureKind
from genbench.reporting.figures.drawing.images import Line, line_sheet, no_classes
from genbench.reporting.figures.drawing.panels import Arrays, Panels


class Arithmetic(FigureKind):
    """Images of mean latents of three classes, and of the first less the second plus the third."""

    accepts = ("images",)
    rows = 30
    cite = "radford2016unsupervised"

    def lacks(self, arrays: Arrays) -> str:
        return no_classes(arrays, "arithmetic")

    def caption(self, shown: Panels) -> str:
        return (
            "First line: mean latents of four samples of each of three classes, by the "
            "classifier; below, the first less the second plus the third, and eight neighbours "
            f"of it; of {FIRST}."
        )

    def draw(self, shown: Panels) -> Image.Image:
        return line_sheet(shown.panels, _lines)


def _lines(arrays: Arrays) -> list[Line]:
    a, b, c = arrays["walk_classes"]
    (images,) = arrays["arithmetic"]
    return [(f"{a}, {b}, {c}", images[:3]), (f"{a} − {b} + {c}", images[3:])]
