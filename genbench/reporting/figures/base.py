"""The contract of a figure kind: what it applies to, what it says of itself, how it is drawn.

A figure is drawn from stored results alone, in two steps: `sheets` reads what there is, and `draw`
makes a picture of what was read and of nothing else. What was read is hashed into the picture, so
that a report draws again exactly what has changed.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

from PIL import Image

from genbench.configured import Configured
from genbench.reporting.figures.drawing.panels import ROWS, Arrays, Panel, Panels, pages
from genbench.reporting.figures.stored import Stored

FIRST = "the first seed that finished"
"""Which run of a row has its arrays shown, in words."""


@dataclass(frozen=True)
class Sheet:
    """One picture: all that decides it, and what is said below it besides the caption."""

    shown: Any
    """Arrays, text and numbers, in dataclasses, tuples, lists and mappings."""
    note: str = ""
    images: bool = False
    """Whether it shows images in colour, which a palette of 256 colours would speckle."""


class FigureKind(Configured, ABC):
    """A kind of figure; its options are the annotated class fields."""

    component_kind: ClassVar[str] = "figure"
    accepts: ClassVar[tuple[str, ...]] = ("points", "images")
    """The kinds of data that it shows."""
    automatic: ClassVar[tuple[str, ...]] = ()
    """The kinds of data for which it is drawn where a suite names no kind of figure."""
    place: ClassVar[Literal["results", "training"]] = "results"
    """The section of the report where it stands, if no rows are chosen for it."""
    replaces: ClassVar[tuple[str, ...]] = ()
    """The kinds that it is drawn in place of, where they do not apply and this one does."""
    shows_real: ClassVar[bool] = False
    """Whether the data themselves may be a row of it."""
    rows: ClassVar[int] = ROWS
    """The most rows on one picture, so that it is no higher than a page."""
    names_metrics: ClassVar[tuple[str, ...]] = ()
    """The options that name metrics of the suite."""
    names_terms: ClassVar[tuple[str, ...]] = ()
    """The options that name terms of a loss, as `player: term`."""
    swept: ClassVar[str] = ""
    """The option whose metrics are drawn over a number: a grid's, or the one that ends a name."""

    def applies(self, stored: Stored) -> bool:
        """Whether it can show such data; where it cannot, another kind may replace it."""
        return True

    def lacks(self, arrays: Arrays) -> str:
        """Why the arrays of a row make no panel; empty where they do."""
        return "" if "samples" in arrays else "its samples are not finite"

    def rows_on_a_sheet(self, stored: Stored) -> int:
        """The most rows on one picture of what is stored."""
        return self.rows

    def sheets(self, stored: Stored) -> Iterator[Sheet]:
        """What there is to draw: here a panel for each row, from its first finished run.

        A row that the suite asks for and that has nothing to show gets a panel that says why;
        where all rows are shown, it is left out and named below the picture.
        """
        real = [stored.real] if self.shows_real and stored.with_real else []
        panels = [self._with_reason(panel) for panel in (*real, *stored.panels)]
        shown = panels if stored.chosen else [one for one in panels if not one.why_not]
        note = "" if stored.chosen else stored.left_out(panels)
        for page in pages(shown, self.rows_on_a_sheet(stored)):
            yield Sheet(Panels(page, stored.real.arrays), note, images=stored.images)

    def _with_reason(self, panel: Panel) -> Panel:
        return replace(panel, why_not=panel.why_not or self.lacks(panel.arrays))

    @abstractmethod
    def caption(self, shown: Any) -> str:
        """Sentences on what the picture shows."""

    @abstractmethod
    def draw(self, shown: Any) -> Image.Image:
        """The picture of what `sheets` gave, and of nothing else."""
