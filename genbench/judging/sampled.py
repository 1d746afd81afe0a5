"""Which numbers of a suite are means over sample sets, and of how many."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from genbench import lookup
from genbench.judging.cells import Cell
from genbench.suites.parts import metric_values
from genbench.suites.plan import Plan


def with_sets(plan: Plan, cells: Sequence[Cell]) -> list[Cell]:
    """The cells, each with its number of sample sets; what was sampled is not `fixed`."""
    sets: dict[str, int] = {}
    for metric in plan.metrics:
        folder = next((run.folder for run in plan.runs if run.folder), "")
        component = lookup.describe("metric", metric.name, Path(folder) if folder else None)
        if component.constants.get("sampled"):
            sets |= dict.fromkeys(
                metric_values(component, metric.options), plan.suite.protocol.sets
            )
    return [
        replace(cell, sets=sets[cell.metric], fixed=False) if cell.metric in sets else cell
        for cell in cells
    ]
