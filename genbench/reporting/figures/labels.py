"""What a classifier says of single samples, and of all of them together, after the illustrations
of the Inception Score (Salimans et al., 2016, arXiv:1606.03498): similar labels sum to a focussed
distribution, different ones to a uniform one."""

from typing import Any

import numpy as np
from PIL import Image

from genbench.fields import Count
from genbench.reporting.figures.base import FIRST, FigureKind
from genbench.reporting.figures.drawing.grids import grid_sheet
from genbench.reporting.figures.drawing.palette import colour
from genbench.reporting.figures.drawing.panels import Arrays, Panels


class Labels(FigureKind):
    """The distribution over classes that a classifier gives samples, summed over some of them."""

    accepts = ("images",)
    cite = "salimans2016improved"
    shows_real = True
    images: Count = 20
    """How many samples are summed."""

    def lacks(self, arrays: Arrays) -> str:
        return super().lacks(arrays) or (
            "" if "label_probabilities" in arrays else "no classifier was asked")

    def caption(self, shown: Panels) -> str:
        return (f"p(y ∣ x) of {self.images} samples of {FIRST}, a colour for each, summed to "
                "their p(y). The Inception Score is high where every sample has one class and all "
                "together have many.")

    def draw(self, shown: Panels) -> Image.Image:
        def paint(ax: Any, arrays: Arrays, first: bool) -> None:
            p = arrays["label_probabilities"][: self.images].astype(float)  # (N, K)
            p /= max(1, len(p))
            base = np.zeros(p.shape[1])
            for index, each in enumerate(p):
                ax.bar(np.arange(len(base)), each, bottom=base, color=colour(index), width=0.8)
                base += each
            ax.set_ylim(0, 1.02)
            ax.set_xlabel("class")
            if first:
                ax.set_ylabel("p(y)")

        return grid_sheet(shown, paint)
