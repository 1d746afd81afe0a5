"""How many seeds would tell the two best methods apart."""

import math
from collections.abc import Sequence
from statistics import fmean

from genbench.judging.cells import Cell, is_reference
from genbench.judging.power import MOST_SEEDS, seeds_needed
from genbench.reporting.figures.draw import Figure
from genbench.reporting.numbers import Numbers
from genbench.reporting.results import Results
from genbench.text.markdown import escape, table
from genbench.text.numbers import mean_and_std, number

PLACE = 50


def section(results: Results, figures: Sequence[Figure]) -> list[str]:
    """A line for each metric; empty where no two methods have two seeds each."""
    groups: dict[tuple[str, str, str], list[Cell]] = {}
    for cell in results.cells:
        if cell.directed and cell.whole and len(cell.values) >= 2 and not is_reference(cell):
            groups.setdefault((cell.dataset, cell.metric, cell.protocol), []).append(cell)
    rows = [row for group in groups.values() if (row := _row(results.numbers, group)) is not None]
    if not rows:
        return []
    head = ["dataset", "metric", "best", "second", "difference", "std over training seeds",
            "std over sample sets", "seeds here", "seeds needed"]
    text = (
        "For each metric, the two methods with the best means, and how many seeds of each would "
        "tell them apart with a chance of 80 % (two-sided t-test at 5 %, paired where seeds are "
        "shared), if their true difference and spread were what these seeds show. So few seeds "
        "know a spread badly: take the number for its size."
    )
    many = "s" * (len(rows) > 1)
    return ["## How many seeds it takes",
            f"<details><summary>{len(rows)} comparison{many}</summary>\n\n{text}\n\n"
            f"{table(head, rows, left=4)}\n</details>"]


def _row(numbers: Numbers, cells: Sequence[Cell]) -> list[str] | None:
    """A line about the two best of a metric, or None where there is nothing to tell apart."""
    ranked = sorted(cells, key=lambda cell: fmean(cell.costs.values()))[:2]
    if len(ranked) < 2:
        return None
    best, second = ranked
    shared = set(best.values) == set(second.values)
    difference = fmean(second.costs.values()) - fmean(best.costs.values())
    spreads = [mean_and_std(list(cell.costs.values()))[1] for cell in ranked]
    spread = math.sqrt((spreads[0] ** 2 + spreads[1] ** 2) / 2)
    if spread == 0:
        return None
    if shared:
        spread = mean_and_std([
            second.costs[seed] - best.costs[seed] for seed in sorted(best.values)
        ])[1]
    needed = seeds_needed(difference / spread, paired=shared) if spread else 2
    sets = max(best.sampling_std, second.sampling_std)
    title = numbers.facts[best.metric][0] or best.metric
    return [
        escape(best.dataset), escape(title), numbers.label(best.method),
        numbers.label(second.method),
        number(mean_and_std(second.sample)[0] - mean_and_std(best.sample)[0]),
        " / ".join(number(each, 2) for each in spreads), number(sets, 2) if sets else "–",
        " / ".join(str(len(cell.values)) for cell in ranked),
        f"over {MOST_SEEDS:,}" if needed is None else f"{needed:,}",
    ]
