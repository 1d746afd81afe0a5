"""Metrics against a number: the option of a grid, or the one that ends the metrics' names."""

import re
from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image

from genbench.fields import Annotated, Field
from genbench.judging.cells import SKIPPED
from genbench.reporting.figures.base import FigureKind, Sheet
from genbench.reporting.figures.drawing.curve_sheet import Curve, CurvePanels, curve_sheet
from genbench.reporting.figures.stored import WORDS, Stored
from genbench.reporting.numbers import Numbers
from genbench.suites.sweep import grid_value, metric_value


class Sweep(FigureKind):
    """Metrics against the option of a grid, or against the number that ends their names."""

    names_metrics = ("columns", "level")
    swept = "columns"

    columns: Annotated[list[str], Field(min_length=1)]
    """The metrics, a panel for each, or for each name less its number."""
    level: str | None = None
    """A metric whose value is a dashed line in every panel."""
    axis: str = ""
    """What the horizontal axis is; the grid's option by default."""

    def sheets(self, stored: Stored) -> Iterator[Sheet]:
        numbers, rows = stored.numbers, stored.methods
        panels, option, absent = sweep_curves(numbers, stored.dataset, rows, self.columns)
        values = [
            value for row in rows
            for cell in numbers.row(row, stored.dataset, self.level or "")
            for value in cell.sample
        ]
        level = (_title(numbers, self.level), float(np.mean(values))) if (
            self.level and values) else None
        yield Sheet(CurvePanels(
            panels or {"sweep": []}, {title: level for title in panels if level},
            {} if panels else {"sweep": "no run to show yet"}, absent,
            axis=self.axis or option, ordered=True,
        ))

    def caption(self, shown: CurvePanels) -> str:
        return "Mean over seeds, band ± 1 standard deviation."

    def draw(self, shown: CurvePanels) -> Image.Image:
        return curve_sheet(shown)


def sweep_curves(
    numbers: Numbers, dataset: str, methods: Sequence[str], columns: Sequence[str]
) -> tuple[dict[str, list[Curve]], str, list[str]]:
    """Panel title → curves, the name of the horizontal axis, and words on points left out."""
    grids = [grid for method in methods if (grid := grid_value(method)) is not None]
    found: dict[tuple[str, str], dict[int, dict[float, float]]] = {}
    lost: dict[tuple[str, float], set[str]] = {}
    for column in columns:
        for method in methods:
            if grids:
                grid = grid_value(method)
                if grid is None:
                    continue
                key, x = (_title(numbers, column), _row(numbers, method, methods)), grid[2]
            else:
                part = metric_value(column)
                if part is None:
                    continue
                key, x = (_swept(numbers, column, part[0]), numbers.title(method)), part[1]
            for cell in numbers.row(method, dataset, column):
                for seed, value in cell.values.items():
                    found.setdefault(key, {}).setdefault(seed, {})[x] = value
                for status, _ in cell.troubles.values():
                    if status != SKIPPED:
                        lost.setdefault((key[1], x), set()).add(
                            WORDS.get(status, status.replace("-", " ")))
    panels: dict[str, list[Curve]] = {}
    styles = {name: place for place, name in enumerate(dict.fromkeys(n for _, n in found))}
    for (title, name), seeds in found.items():
        shared = sorted(set.intersection(*(set(points) for points in seeds.values())))
        series = [np.array([shared, [seeds[s][x] for x in shared]]) for s in sorted(seeds)]
        if shared:
            panels.setdefault(title, []).append(Curve(name, styles[name], series))
    absent = [f"{name} at {x:g}: {', '.join(sorted(why))}" for (name, x), why in lost.items()]
    return panels, grids[0][1].rpartition(".")[2] if grids else "value", absent


def _row(numbers: Numbers, method: str, methods: Sequence[str]) -> str:
    """The title that the rows of a grid share, or their name where another grid has it too."""
    titles = {}
    for other in methods:
        grid = grid_value(other)
        if grid is not None:
            titles[grid[0]] = numbers.title(other).removesuffix(other[len(grid[0]):]).strip()
    base = method.partition("[")[0]
    return titles[base] if list(titles.values()).count(titles[base]) == 1 else base


def _swept(numbers: Numbers, column: str, base: str) -> str:
    """The title of a metric without its number: `Sinkhorn distance` for that at ε = 0.1."""
    name = re.sub(r",? \S+ = \S+(?=,|$)", "", _title(numbers, column))
    return name if name != column else base.replace("_", " ")


def _title(numbers: Numbers, column: str) -> str:
    title, unit, _ = numbers.facts.get(column, ("", "", ""))
    return f"{title}, {unit}" if unit and unit not in title else title or column
