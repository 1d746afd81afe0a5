"""The figures that a suite asks for."""

from collections.abc import Sequence

from genbench.reporting.figures.draw import Figure
from genbench.reporting.results import Results
from genbench.reporting.sections._pictures import pictures

PLACE = 60


def section(results: Results, figures: Sequence[Figure]) -> list[str]:
    """A picture each, or nothing."""
    return pictures("Figures", figures, "figures")
