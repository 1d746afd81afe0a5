"""What a suite reports and claims, checked against its rows and metrics."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from genbench.errors import SuiteError
from genbench.lookup import suggest
from genbench.suites.expectation import CellName, parse_cell, parse_expectations
from genbench.suites.matrix import DatasetRow
from genbench.suites.methods import Method
from genbench.suites.parts import capabilities
from genbench.suites.problems import Path, Problems
from genbench.suites.rows import Row
from genbench.suites.schema import Claim, FigureEntry, Suite, Table, Target
from genbench.suites.spec import REAL, MetricSpec
from genbench.suites.sweep import grid_value, metric_value

__all__ = ["check_report", "metric_warnings"]

_KINDS = {
    "density": "points", "critic": "points", "weights": "points", "profile": "points",
    "interpolation": "images", "arithmetic": "images", "turn": "images",
}
"""Figures that are for one kind of data."""
_DEFAULT = ("samples", "density", "curves")
"""Figures that are drawn where no kind is named."""
_CONDITIONS = {
    "modes": "no dataset here has modes",
    "truth": "no dataset here has a known density",
    "labels": "no dataset here has labels",
    "critic": "no method here trains a critic",
}


def check_report(
    suite: Suite, methods: Sequence[Method], others: Sequence[Row],
    datasets: Sequence[DatasetRow], values: Mapping[str, Any], problems: Problems,
) -> Suite:
    """The suite with rows that a grid expanded written out; problems are noted.

    `others` are the rows that are not trained.
    """
    checker = _Checker(methods, others, datasets, list(values), problems)
    tables = [
        checker.table(table, ("report", "tables", index))
        for index, table in enumerate(suite.report.tables)
    ]
    for index, claim in enumerate(suite.report.claims):
        path: Path = ("report", "claims", index)
        checker.claim(claim, path)
        if claim.id in [other.id for other in suite.report.claims[:index]]:
            problems.add((*path, "id"), f"claim '{claim.id}' is there twice")
    for index, target in enumerate(suite.report.targets):
        checker.target(target, ("report", "targets", index))
    figures = suite.report.figures and [
        checker.figure(figure, ("report", "figures", index))
        if isinstance(figure, FigureEntry) else figure
        for index, figure in enumerate(suite.report.figures)
    ]
    checker.files(figures or [])
    report = suite.report.model_copy(update={"tables": tables, "figures": figures})
    return suite.model_copy(update={"report": report})


class _Checker:
    def __init__(
        self, methods: Sequence[Method], others: Sequence[Row], datasets: Sequence[DatasetRow],
        values: list[str], problems: Problems,
    ) -> None:
        self.methods: list[Row] = [*(method.row for method in methods), *others]
        self.kinds = {dataset.row.name: dataset.kind for dataset in datasets}
        self.datasets, self.values, self.problems = list(self.kinds), values, problems
        self.players = sorted({
            str(player) for method in methods for stage in method.stages
            for objective in stage.objectives
            for player in objective.constants.get("plays", ("model",))
        } | {"watched"})

    def table(self, table: Table, path: Path) -> Table:
        """The table, its methods written out."""
        if table.dataset is not None:
            self.dataset(table.dataset, (*path, "dataset"))
        for index, column in enumerate(table.columns):
            self.column(column, (*path, "columns", index))
        methods: list[str] | None = None
        for index, row in enumerate(table.methods or []):
            found = self.rows(row, (*path, "methods", index))
            methods = (methods or []) + [name for name in found if name not in (methods or [])]
        published = {}
        for row, numbers in table.published.items():
            for name in self.rows(row, (*path, "published", row)):
                published[name] = numbers
            for column in numbers:
                self.column(column, (*path, "published", row, column))
        return table.model_copy(update={
            "methods": table.methods if methods is None else methods, "published": published,
        })

    def figure(self, figure: FigureEntry, path: Path) -> FigureEntry:
        """The figure with its dataset, and its methods written out."""
        dataset = figure.dataset
        if dataset is not None:
            self.dataset(dataset, (*path, "dataset"))
        elif len(self.datasets) > 1:
            self.problems.add(path, f"figure '{figure.title}' names no dataset, and the suite has "
                                    f"several: {', '.join(self.datasets)}")
        else:
            dataset = self.datasets[0]
        methods: list[str] | None = None
        for index, row in enumerate(figure.methods or []):
            found = self.rows(row, (*path, "methods", index))
            methods = (methods or []) + [name for name in found if name not in (methods or [])]
            if found == [REAL] and figure.kind not in ("samples", "density"):
                self.problems.add((*path, "methods", index),
                                  f"the data themselves are in no figure of kind '{figure.kind}'")
        if figure.terms and figure.kind != "curves":
            self.problems.add((*path, "terms"), "terms are for curves")
        for index, term in enumerate(figure.terms):
            self.term(term, (*path, "terms", index))
        kind = self.kinds.get(dataset or "")
        wanted = _KINDS.get(figure.kind)
        if wanted and kind and kind != wanted:
            self.problems.add((*path, "kind"), f"a figure of kind '{figure.kind}' is for {wanted},"
                                               f" and '{dataset}' holds {kind}")
        self.sweep(figure, methods or self.methods, path)
        if figure.by_component and (figure.kind != "samples" or kind == "points"):
            self.problems.add((*path, "by_component"), "by_component is for samples of images; "
                                                       "points are coloured by component anyway")
        return figure.model_copy(update={"dataset": dataset, "methods": methods})

    def sweep(self, figure: FigureEntry, methods: Sequence[Row | str], path: Path) -> None:
        """The metrics of a sweep, and that there is a number to draw them against."""
        if figure.kind != "sweep":
            if figure.columns or figure.level or figure.axis:
                self.problems.add(path, "columns, level and axis are for sweeps")
            return
        if not figure.columns:
            self.problems.add(path, "a sweep needs `columns`: the metrics that it shows")
        for index, name in enumerate(figure.columns):
            self.metric(name, (*path, "columns", index))
        if figure.level:
            self.metric(figure.level, (*path, "level"))
        names = [method if isinstance(method, str) else method.name for method in methods]
        known = all(name in self.values for name in figure.columns)
        numbered = any(map(grid_value, names)) or all(map(metric_value, figure.columns))
        if known and not numbered:
            self.problems.add(path, "a sweep runs over rows of a grid of numbers, or over metrics "
                                    "whose names end in one; here is neither")

    def term(self, term: str, path: Path) -> None:
        """A term of a figure of curves: its form, and the player's name."""
        player, colon, name = (part.strip() for part in term.partition(":"))
        if not colon or not player or not name:
            self.problems.add(path, f"expected a player and a term, as 'model: nll', not '{term}'")
        elif player not in self.players:
            self.problems.add(path, f"nobody is called '{player}'{suggest(player, self.players)}")

    def files(self, figures: Sequence[str | FigureEntry]) -> None:
        """No two figures go into one file, and none is asked for beside `none`."""
        if "none" in figures and len({one for one in figures if isinstance(one, str)}) > 1:
            self.problems.add(("report", "figures"), "`none` cannot stand beside other kinds")
        taken = {
            f"figures/{kind}-{dataset}.png": f"the {kind} of {dataset}"
            for kind in [one for one in figures if isinstance(one, str)] or _DEFAULT
            for dataset in self.datasets
        }
        for index, figure in enumerate(figures):
            if isinstance(figure, FigureEntry):
                if figure.file in taken:
                    self.problems.add(
                        ("report", "figures", index, "title"),
                        f"'{figure.title}' would be drawn into {figure.file}, as is "
                        f"{taken[figure.file]}; give it another title",
                    )
                taken[figure.file] = f"'{figure.title}'"

    def claim(self, claim: Claim, path: Path) -> None:
        """A claim's expectation and its cells, or why it has none."""
        if (claim.expect is None) == (not claim.unjudged):
            self.problems.add(path, f"claim '{claim.id}' needs `expect`, or `unjudged` with the "
                                    "reason why it cannot be a comparison, and not both")
        if claim.expect is None:
            return
        where = (*path, "expect")
        try:
            parts = parse_expectations(claim.expect)
        except SuiteError as error:
            self.problems.add(where, error.message)
            return
        for part in parts:
            for cell in part.cells:
                self.cell(cell, where)

    def target(self, target: Target, path: Path) -> None:
        """A target's cell and bound."""
        if (target.at_most is None) == (target.at_least is None):
            self.problems.add(path, "a target needs `at_most` or `at_least`, and not both")
        where = (*path, "cell")
        try:
            cell = parse_cell(target.cell)
        except SuiteError as error:
            self.problems.add(where, error.message)
            return
        if cell[2] is None and len(self.datasets) > 1:
            self.problems.add(where, f"'{target.cell}' names no dataset, and there are several")
        self.cell(cell, where)

    def cell(self, cell: CellName, where: Path) -> None:
        """A cell's metric, row and dataset."""
        metric, row, dataset = cell
        self.metric(metric, where)
        names = [REAL, *(method.name for method in self.methods)]
        if row not in names:
            self.problems.add(where, f"no method row '{row}'{suggest(row, names)}")
        if dataset is not None:
            self.dataset(dataset, where)

    def rows(self, name: str, path: Path) -> list[str]:
        """The method rows of a name: itself, or those that a grid made of it."""
        known = [row.name for row in self.methods]
        found = [row.name for row in self.methods if name in (row.name, row.base)]
        if name == REAL or found:
            return found or [REAL]
        self.problems.add(path, f"no method row '{name}'{suggest(name, known)}")
        return []

    def dataset(self, name: str, path: Path) -> None:
        if name not in self.datasets:
            self.problems.add(path, f"no dataset row '{name}'{suggest(name, self.datasets)}")

    def column(self, column: str, path: Path) -> None:
        """A column: what a metric measures, perhaps of one dataset: `nll[ring]`."""
        metric, bracket, rest = column.partition("[")
        self.metric(metric, path)
        if bracket and not rest.endswith("]"):
            self.problems.add(path, f"'{column}': a '[' is not closed")
        elif bracket:
            self.dataset(rest[:-1], path)

    def metric(self, name: str, path: Path) -> None:
        value = name.partition("@")[0]
        if value not in self.values:
            hint = suggest(value, self.values) if self.values else ""
            self.problems.add(path, f"'{value}' is not among what is evaluated{hint}")


def metric_warnings(
    metrics: Sequence[MetricSpec], methods: Sequence[Method], datasets: Sequence[DatasetRow],
    components: Mapping[str, Any], problems: Problems,
) -> Iterator[str]:
    """A line for each metric that nothing here satisfies, or that lacks test rows somewhere."""
    for metric in metrics:
        row, constants = components[metric.name]
        reason = _unsatisfied(constants, methods, datasets)
        if reason:
            line = problems.source.line(row.path)
            yield (f"{problems.source.file}:{line}: evaluate.{metric.name}: {reason}, so its "
                   "cells will be empty")
            continue
        option = constants.get("rows_needed", "")
        few = [
            d.spec.name for d in datasets if d.kind in constants.get("kinds", ("points", "images"))
            and metric.options.get(option, 0) > d.spec.options.get("test_size", math.inf)
        ]
        if few:
            line = problems.source.line(row.path)
            yield (f"{problems.source.file}:{line}: evaluate.{metric.name}: {option} "
                   f"{metric.options[option]} is more than the test_size of {', '.join(few)}, so "
                   "its cells there will be empty")


def _unsatisfied(
    constants: Mapping[str, Any], methods: Sequence[Method], datasets: Sequence[DatasetRow]
) -> str:
    kinds = constants.get("kinds", ("points", "images"))
    fitting = [dataset for dataset in datasets if dataset.kind in kinds]
    if not fitting:
        return f"it is for {' and '.join(kinds)}, which no dataset here holds"
    have = {
        "modes": any(d.component.constants.get("has_modes", False) for d in fitting),
        "truth": any(d.kind == "points" for d in fitting),
        "labels": any(d.labelled for d in fitting),
        "critic": any(
            "critic" in objective.constants.get("plays", ()) for method in methods
            for stage in method.stages for objective in stage.objectives
        ),
    }
    needs = [str(need) for need in constants.get("needs", ())]
    for need in needs:
        if need in have and not have[need]:
            return _CONDITIONS[need]
    able = [need for need in needs if need not in have]
    if able and not any(
        capabilities(method.component).issuperset(able) for method in methods
    ):
        return f"no method here has {' and '.join(able)}"
    return ""
