"""How the numbers of a report were measured: protocols and notes."""

from collections.abc import Sequence

from genbench.judging.cells import OK
from genbench.reporting.figures.draw import Figure
from genbench.reporting.results import Results
from genbench.suites.spec import EXTERNAL
from genbench.text.markdown import code, escape, table

PLACE = 110


def section(results: Results, figures: Sequence[Figure]) -> list[str]:
    """How each number was measured."""
    found: dict[tuple[str, str], tuple[str, str, str, dict[str, None]]] = {}
    for row in results.survey.rows:
        if row.status == OK:
            about = (row.title, row.unit, row.better, dict[str, None]())
            found.setdefault((row.metric, row.protocol), about)[3][row.dataset] = None
    rows = [
        [code(metric), escape(title), escape(unit), better, escape(protocol) or "–",
         escape(", ".join(datasets))]
        for (metric, protocol), (title, unit, better, datasets) in sorted(found.items())
    ]
    if not rows:
        return []
    head = ["metric", "title", "unit", "better", "protocol", "datasets"]
    notes = [f"- {escape(note)}" for note in notes_of(results)]
    return ["## Protocol", table(head, rows, left=6), *(["\n".join(notes)] if notes else [])]


def notes_of(results: Results, *, data: bool = False) -> list[str]:
    """The notes of the runs: those that all runs of a dataset share are said once.

    With `data`, only these and those of samples made elsewhere: what the numbers of a whole
    dataset, or of given files, hang on.
    """
    plan, records = results.plan, results.survey.records
    of: dict[tuple[str, str], dict[str, None]] = {}
    rows: dict[str, set[str]] = {}
    given = {spec.method for spec in plan.runs if spec.model.name == EXTERNAL}
    for spec in plan.runs:
        record = records.get(spec.id)
        if record is None or not record.metrics:
            continue
        rows.setdefault(spec.dataset, set()).add(spec.method)
        for note in record.metrics["notes"]:
            of.setdefault((spec.dataset, note), {})[spec.method] = None
    lines = []
    for (dataset, note), methods in of.items():
        everywhere = set(methods) == rows[dataset]
        where = dataset if everywhere else f"{dataset}, {', '.join(methods)}"
        if not data or everywhere or set(methods) & given:
            lines.append(f"{where}: {note}")
    return lines
