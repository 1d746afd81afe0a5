"""The training curves."""

from collections.abc import Sequence

from genbench.reporting.figures.draw import Figure
from genbench.reporting.results import Results
from genbench.reporting.sections._pictures import pictures

PLACE = 70


def section(results: Results, figures: Sequence[Figure]) -> list[str]:
    """A picture each, or nothing."""
    return pictures("Training", figures, "training")
