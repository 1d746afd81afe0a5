"""What a suite says of itself."""

from collections.abc import Sequence

from genbench.reporting.figures.draw import Figure
from genbench.reporting.results import Results
from genbench.text.markdown import lead_and_rest, prose

PLACE = 80


def section(results: Results, figures: Sequence[Figure]) -> list[str]:
    """The description, but for the sentence that opens the report."""
    _, rest = lead_and_rest(prose(results.plan.suite.description).strip())
    return ["## About", rest] if rest else []
