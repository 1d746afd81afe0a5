"""The versions and machines by which a report's runs were made."""

from collections.abc import Sequence

from genbench.reporting.figures.draw import Figure
from genbench.reporting.results import Results
from genbench.text.markdown import escape, table

PLACE = 120


def section(results: Results, figures: Sequence[Figure]) -> list[str]:
    """Each distinct value once."""
    found: dict[str, dict[str, None]] = {}
    for origin in results.origins:
        for name, values in origin.facts.items():
            found.setdefault(name, {}).update(dict.fromkeys(values))
    if not found:
        return []
    rows = [[name, escape(", ".join(sorted(values)))] for name, values in found.items()]
    return ["## Made with", table(["", "of the runs above"], rows, left=2)]
