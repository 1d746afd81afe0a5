"""Numbers that were written to files: metrics.csv, and what `check --update` writes."""

import csv
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

from genbench.errors import GenbenchError
from genbench.judging.baseline import read_baseline
from genbench.judging.cells import Cell, cells_of, joined
from genbench.store.table import MetricRow

WORKING = "working"
"""The folder, in that of a suite's results, of the report and table of runs stored here."""
_NEEDED = [name for name in MetricRow._fields if name not in MetricRow._field_defaults]


def load_cells(path: Path) -> list[Cell]:
    """The cells of a results folder, of a metrics.csv, or of a baseline, in JSON.

    Of a folder, its working table goes before the accepted one.

    Raises:
        GenbenchError: there is nothing there, or it is not a table or baseline.
    """
    if path.is_dir():
        for name in (f"{WORKING}/metrics.csv", "metrics.csv"):
            if (path / name).is_file():
                return load_cells(path / name)
        raise GenbenchError(
            f"{path} holds no metrics.csv; 'genbench report SUITE' writes one"
        )
    if not path.exists():
        raise GenbenchError(
            f"there is no {path}; expected a results folder, a metrics.csv or a baseline"
        )
    if path.suffix == ".json":
        return joined(read_baseline(path).cells)
    return cells_of(_rows(path))


def _rows(path: Path) -> list[MetricRow]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.reader(file, strict=True)
            lines = [(reader.line_num, line) for line in reader if line]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise GenbenchError(f"{path} is not a table of metrics: {error}") from None
    (_, head), *lines = lines or [(1, [])]
    lacking = [name for name in _NEEDED if name not in head]
    if lacking:
        raise GenbenchError(
            f"{path} is not a table of metrics: it lacks the columns {', '.join(lacking)}"
        )
    for place, line in lines:
        if len(line) != len(head):
            raise GenbenchError(
                f"{path}:{place}: expected {len(head)} columns as in the first line, "
                f"got {len(line)}"
            )
    return [
        _row(dict(zip(head, line, strict=True)), f"{path}:{place}") for place, line in lines
    ]


def _row(texts: Mapping[str, str], where: str) -> MetricRow:
    """The row of a line; columns that nobody judges by are left aside."""
    def number(name: str) -> float | None:
        return _number(texts.get(name, ""), f"{where}: {name}")

    seed, updates, examples = number("seed"), number("updates"), number("examples")
    if seed is None:
        raise GenbenchError(f"{where}: seed: expected a number")
    one = SimpleNamespace(**texts)
    return MetricRow(
        one.suite, one.method, one.dataset, int(seed), one.metric, one.protocol, number("value"),
        one.better, one.unit, one.status, one.reason, one.run, number("sampling_std"),
        updates=None if updates is None else int(updates),
        examples=None if examples is None else int(examples),
        limited=texts.get("limited", "").strip().lower() in ("true", "1", "1.0", "yes"),
        target=texts.get("target", ""), tolerance=number("tolerance"),
    )


def _number(text: str, where: str) -> float | None:
    """A number, or None for what is empty or NaN."""
    if text.strip().lower() in ("", "nan"):
        return None
    try:
        return float(text)
    except ValueError:
        raise GenbenchError(f"{where}: expected a number, got '{text}'") from None
