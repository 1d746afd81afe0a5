"""The tables of a report, and the pictures of their datasets."""

from collections.abc import Sequence

from genbench.judging.ranking import best_legend
from genbench.reporting.figures.draw import Figure
from genbench.reporting.results import Results
from genbench.reporting.sections._pictures import image
from genbench.reporting.sections._tables import make_tables
from genbench.text.markdown import escape

PLACE = 20


def section(results: Results, figures: Sequence[Figure]) -> list[str]:
    """Every table, followed by the pictures of its dataset where it is the first of it."""
    parts = ["## Results"]
    shown: set[str] = set()
    tables = make_tables(results.numbers)
    for one in tables:
        parts += [f"### {escape(one.title)}", one.text]
        if one.spread:
            parts.append(
                "<details><summary>Spread over sample sets: standard deviation over independent "
                "sample sets of one model, mean over seeds</summary>\n\n"
                f"{one.spread}\n</details>"
            )
        for figure in figures:
            if figure.dataset == one.dataset and figure.place == "results":
                if figure.file not in shown:
                    parts.append(image(figure))
                shown.add(figure.file)
    others = [f for f in figures if f.place == "results" and f.file not in shown]
    legend = "± is the standard deviation over seeds (n − 1)"
    if any(not one.against for one in tables) or not tables:
        where = "where a table names no row, " * any(one.against for one in tables)
        legend += (f"; {where}{best_legend(results.numbers.schedule)}; real data, what is better "
                   "than they are, and rows that lack a seed are never bold")
    legend += (". ↓ lower is better, ↑ higher is better, → best at the value of the real row or "
               "the truth.")
    return [*parts, *(image(figure) for figure in others), legend]
