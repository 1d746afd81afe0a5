"""What a suite reports and claims, checked against its rows and metrics."""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path as FilePath
from typing import Any

from genbench.errors import SuiteError
from genbench.lookup import suggest
from genbench.suites.expectation import CellName, Expectation, parse_cell
from genbench.suites.figures import check_figures
from genbench.suites.known import Known
from genbench.suites.matrix import DatasetRow, deciding, runs_on
from genbench.suites.methods import Method
from genbench.suites.parts import capabilities, requirements
from genbench.suites.problems import Path, Problems
from genbench.suites.rows import Row
from genbench.suites.schema import Claim, Margin, Suite, Table, Target
from genbench.suites.spec import REAL, MetricSpec

_CONDITIONS = {
    "modes": "no dataset here has modes",
    "truth": "no dataset here has a known density",
    "labels": "no dataset here has labels",
    "critic": "no method here trains a critic",
}


def check_report(
    suite: Suite, methods: Sequence[Method], others: Sequence[Row],
    datasets: Sequence[DatasetRow], values: Mapping[str, Any], folder: FilePath,
    problems: Problems,
) -> Suite:
    """The suite with rows that a grid expanded written out; problems are noted.

    `others` are the rows that are not trained, `folder` is the suite's.
    """
    known = Known(methods, others, datasets, list(values), problems)
    checker = _Checker(known, problems)
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
    for metric in suite.tolerances:
        known.metric(metric, ("tolerances", metric))
    figures = check_figures(suite.report.figures, known, folder, problems)
    report = suite.report.model_copy(update={"tables": tables, "figures": figures})
    return suite.model_copy(update={"report": report})


class _Checker:
    def __init__(self, known: Known, problems: Problems) -> None:
        self.known, self.problems = known, problems

    def table(self, table: Table, path: Path) -> Table:
        """The table, its methods written out."""
        if table.dataset is not None:
            self.known.dataset(table.dataset, (*path, "dataset"))
        for index, column in enumerate(table.columns):
            self.column(column, (*path, "columns", index))
        methods = self.known.all_rows(table.methods, (*path, "methods"))
        published = {}
        for row, numbers in table.published.items():
            for name in self.known.rows(row, (*path, "published", row)):
                published[name] = numbers
            for column in numbers:
                self.column(column, (*path, "published", row, column))
        against = self.against(table, methods, (*path, "against"))
        return table.model_copy(
            update={"methods": methods, "published": published, "against": against}
        )

    def against(self, table: Table, methods: list[str] | None, path: Path) -> str | None:
        """The row that a table holds the others against, one of its own."""
        name, every = table.against, [row.name for row in self.known.methods]
        suffixes = tuple(suffix for suffix in table.variants.values() if suffix)
        shown = [row for row in every if not row.endswith(suffixes)]
        if methods is not None:
            shown = [row for row in methods if row != REAL]
        if name is None:
            return None
        if name == REAL:
            self.problems.add(path, "the row 'real' has no training seeds to compare with; name a "
                                    "method row")
            return None
        found = self.known.rows(name, path)
        if len(found) > 1:
            self.problems.add(path, f"'{name}' is {len(found)} rows, {', '.join(found)}; name one")
        elif found and found[0] not in shown:
            self.problems.add(path, f"'{name}' is not a line of the table"
                                    f"{suggest(name, shown)}")
        return found[0] if found else None

    def claim(self, claim: Claim, path: Path) -> None:
        """A claim's expectation and its cells, or why it has none."""
        given = [claim.expect is not None, claim.identity is not None, bool(claim.unjudged)]
        if sum(given) != 1:
            number = "has more than one" if sum(given) else "needs one"
            self.problems.add(path, f"claim '{claim.id}' {number} of `expect`, `identity` and "
                                    "`unjudged`, the reason why it cannot be either")
        if claim.expectation == "" or sum(given) != 1:
            return
        where = (*path, "expect" if claim.expect else "identity")
        try:
            parts = claim.parts
        except SuiteError as error:
            self.problems.add(where, error.message)
            return
        for part in parts:
            for cell in part.cells:
                self.cell(cell, where)
        if claim.margin is not None:
            self.margin(claim.margin, parts, (*path, "margin"))

    def margin(
        self, margin: float | Margin, parts: Sequence[Expectation], path: Path
    ) -> None:
        """A margin beside what it can be one of."""
        ratio = isinstance(margin, Margin) and margin.factor is not None
        for part in parts:
            if part.relation in ("=", "~=") or part.spread:
                self.problems.add(path, f"'{part.text}' takes no margin: it goes with < <= > and "
                                        ">= between values")
            elif part.logs and not ratio:
                self.problems.add(path, f"'{part.text}' compares a ratio, whose margin is a "
                                        "factor: write {factor: 1.1}")
            elif ratio and not part.logs and part.on_logs is None:
                self.problems.add(path, f"'{part.text}' is no comparison of two quantities, whose "
                                        "ratio a factor could bound")

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
        if cell[2] is None and len(self.known.datasets) > 1:
            self.problems.add(where, f"'{target.cell}' names no dataset, and there are several")
        self.cell(cell, where)

    def cell(self, cell: CellName, where: Path) -> None:
        """A cell's metric, row and dataset."""
        metric, row, dataset = cell
        self.known.metric(metric, where)
        names = [REAL, *(method.name for method in self.known.methods)]
        if row not in names:
            self.problems.add(where, f"no method row '{row}'{suggest(row, names)}")
        if dataset is not None:
            self.known.dataset(dataset, where)

    def column(self, column: str, path: Path) -> None:
        """A column: what a metric measures, perhaps of one dataset: `nll[ring]`."""
        metric, bracket, rest = column.partition("[")
        self.known.metric(metric, path)
        if bracket and not rest.endswith("]"):
            self.problems.add(path, f"'{column}': a '[' is not closed")
        elif bracket:
            self.known.dataset(rest[:-1], path)


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


def density_warnings(
    metrics: Sequence[MetricSpec], methods: Sequence[Method], datasets: Sequence[DatasetRow],
    components: Mapping[str, Any], problems: Problems,
) -> Iterator[str]:
    """A line for each row whose density has no bound, on grey levels without noise between them.

    What a model says in code, of images that it dequantises or takes as levels, is believed.
    """
    for method in methods:
        part = deciding(method)
        own = {"discrete"} if method.setting("dequantise") is False else {
            "discrete", "preferred_scaling"
        }
        images = [d.row.name for d in datasets if d.kind == "images" and runs_on(method, d)]
        able = capabilities(part) & _LIKELIHOODS
        if not (images and able) or method.setting("dequantise") or own & part.names:
            continue
        taught = [
            f"objective '{objective.name}' learns a density that has no bound"
            for _, objective, term in method.terms()
            if term.weight and "density" in {one.name for one in requirements(objective)}
        ]
        empty = [
            metric.name for metric in metrics
            if able & _LIKELIHOODS.intersection(components[metric.name][1].get("needs", ()))
            and "images" in components[metric.name][1].get("kinds", ("images",))
        ]
        lost = [f"{', '.join(empty)} will be skipped"] if empty else []
        if taught or lost:
            yield (f"{problems.source.file}:{problems.source.line(method.row.path)}: "
                   f"methods.{method.row.name}: on the grey levels of {', '.join(images)}, "
                   f"without noise between them, {' and '.join([*taught[:1], *lost])}; set "
                   "`dequantise: true` in this row")


_LIKELIHOODS = frozenset({"density", "bound"})


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
            for _, objective, _ in method.terms()
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
