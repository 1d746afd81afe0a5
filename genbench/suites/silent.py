"""Settings that could not matter where a suite gives them: refused, so that none is silent."""

from collections.abc import Mapping, Sequence
from typing import Any

from genbench.suites.external import PLUG_IN, ExternalRow
from genbench.suites.matrix import DatasetRow
from genbench.suites.methods import Method
from genbench.suites.problems import Path, Problems
from genbench.suites.schema import Budget, Claim, FigureEntry, Suite, Table, Target
from genbench.suites.spec import REAL


def check_settings(
    method: Method, datasets: Sequence[DatasetRow], suite: Suite, problems: Problems
) -> None:
    """A method row's settings, on the datasets that it runs on."""
    entry, path = method.entry, method.row.path
    if entry.dequantise is not None and {dataset.kind for dataset in datasets} == {"points"}:
        problems.add((*path, "dequantise"), "dequantise is for images, and the row runs on "
                                            "points alone")
    updated = method.updated()
    for stage, where, one in zip(method.entries, method.paths, updated, strict=True):
        if not one and (stage.updates or stage.share):
            problems.add(where, "this stage is fitted, without updates, so that it takes "
                                "neither `updates` nor `share`")
    budget = entry.budget or Budget()
    own = {
        key: value for key, value in budget.model_dump(exclude_none=True).items()
        if value != getattr(suite.budget, key)
    }
    if any(updated):
        given_all = all(
            stage.updates is not None
            for stage, one in zip(method.entries, updated, strict=True) if one
        )
        if "updates" in own and given_all:
            problems.add((*path, "budget", "updates"), "each of the stages says its `updates`; "
                                                       "leave out one or the other")
        return
    given: list[Path] = [("budget", key) for key in own]
    given += [(key,) for key in ("optimiser", "optimisers", "ema") if getattr(entry, key)]
    given += [(key,) for key in ("precision", "compile")
              if getattr(entry, key) not in (None, getattr(suite, key))]
    for place in given:
        name = ".".join(map(str, place))
        problems.add((*path, *place), f"'{method.component.name}' is fitted, without updates, so "
                                      f"that `{name}` could not matter")


def check_training(suite: Suite, raw: Mapping[str, Any], problems: Problems) -> None:
    """What is said of training, where no method is trained."""
    if suite.methods is None:
        for key in ("budget", "compile", "precision", "seeds", "looks"):
            if key in raw:
                problems.add((key,), f"no method is trained here: `{key}` could not matter")
    elif suite.looks is not None:
        if "seeds" in raw:
            problems.add(("seeds",), "`looks` say how many seeds there are: leave `seeds` out")
        if all(claim.expect is None for claim in suite.report.claims):
            problems.add(("looks",), "looks are for claims, and none has an `expect` to test")


def check_external(
    others: Sequence[ExternalRow], datasets: Sequence[DatasetRow], problems: Problems
) -> None:
    """The range of samples that have none."""
    kinds = {dataset.row.name: dataset.kind for dataset in datasets}
    for other in others:
        samples = other.entry.samples
        paths = [samples] if isinstance(samples, str) else samples
        models = all(PLUG_IN.search(path) for path in paths)
        low, high = other.entry.range
        said = (low, high) != (0.0, 1.0) and low < high  # else it was refused for what it says
        if said and (models or kinds[other.dataset] == "points"):
            what = "a model knows its own range" if models else "points have no black and white"
            problems.add((*other.row.path, "range"), f"{what}; leave `range` out")


def check_shown(suite: Suite, rows: Sequence[str], problems: Problems) -> None:
    """What a report is asked for, whose rows and columns are known to exist."""
    report = suite.report
    for index, table in enumerate(report.tables):
        _published(table, ("report", "tables", index), problems)
        for heading, suffix in table.variants.items():
            if not any(f"{row}{suffix}" in rows for row in table.methods or rows):
                problems.add(("report", "tables", index, "variants", heading),
                             f"no row's name ends in '{suffix}'")
    if not suite.real:
        _without_real(suite, problems)


def _published(table: Table, path: Path, problems: Problems) -> None:
    """Published numbers that the table has no place for."""
    rows = table.methods
    for row, numbers in table.published.items():
        where = (*path, "published", row)
        if rows is not None and row not in rows:
            problems.add(where, f"'{row}' is not among the table's `methods`")
        for column in numbers:
            if table.columns and column not in table.columns:
                problems.add((*where, column), f"'{column}' is not among the table's `columns`")


def _without_real(suite: Suite, problems: Problems) -> None:
    """The row that `real: false` leaves out, asked for by name."""
    why = "the row 'real' is left out by `real: false`"
    shown: list[tuple[str, Sequence[Table | FigureEntry | str]]] = [
        ("tables", suite.report.tables), ("figures", suite.report.figures or []),
    ]
    for what, parts in shown:
        for index, part in enumerate(parts):
            if not isinstance(part, str) and REAL in (part.methods or []):
                problems.add(("report", what, index, "methods"), why)
    said: list[tuple[str, str, Sequence[Claim | Target]]] = [
        ("claims", "expectation", suite.report.claims), ("targets", "cell", suite.report.targets),
    ]
    for what, key, sentences in said:
        for index, sentence in enumerate(sentences):
            if f"[{REAL}" in str(getattr(sentence, key)):
                problems.add(("report", what, index), why)
