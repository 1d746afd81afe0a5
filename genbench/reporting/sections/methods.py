"""The methods of a report, a line each."""

from collections.abc import Sequence

from genbench.reporting.figures.draw import Figure
from genbench.reporting.results import Results
from genbench.suites.spec import REAL
from genbench.text.markdown import code, escape, table

PLACE = 90


def section(results: Results, figures: Sequence[Figure]) -> list[str]:
    """What each row is."""
    rows = [
        [code(name), escape(info.title), escape(info.family), escape(info.summary)]
        for name, info in results.plan.methods.items() if name != REAL
    ]
    return ["## Methods", table(["row", "method", "family", "what it is"], rows, left=4)]
