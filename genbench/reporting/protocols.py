"""How the numbers of a report were measured: protocols and notes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from genbench.reporting.markdown import code, escape, table
from genbench.store.table import Survey
from genbench.suites.plan import Plan

__all__ = ["protocols"]


def protocols(plan: Plan, survey: Survey) -> list[str]:
    """The section that says how each number was measured."""
    measured = survey.frame[survey.frame["status"] == "ok"]
    distinct = measured[["metric", "protocol", "dataset", "title", "unit", "better"]]
    found: dict[tuple[str, str], tuple[str, str, str, dict[str, None]]] = {}
    for metric, protocol, dataset, *about in distinct.drop_duplicates().itertuples(index=False):
        title, unit, better = map(str, about)
        key = (str(metric), str(protocol))
        found.setdefault(key, (title, unit, better, {}))[3][str(dataset)] = None
    rows = [
        [code(metric), escape(title), escape(unit), better, escape(protocol) or "–",
         escape(", ".join(datasets))]
        for (metric, protocol), (title, unit, better, datasets) in sorted(found.items())
    ]
    if not rows:
        return []
    head = ["metric", "title", "unit", "better", "protocol", "datasets"]
    notes = _notes(plan, {
        run: record.metrics["notes"] for run, record in survey.records.items() if record.metrics
    })
    return ["## Protocol", table(head, rows, left=6), *(["\n".join(notes)] if notes else [])]


def _notes(plan: Plan, noted: Mapping[str, Sequence[str]]) -> list[str]:
    """The notes of the runs as a list: those that all runs of a dataset share are said once."""
    of: dict[tuple[str, str], dict[str, None]] = {}
    rows: dict[str, set[str]] = {}
    for spec in plan.runs:
        if spec.id not in noted:
            continue
        rows.setdefault(spec.dataset, set()).add(spec.method)
        for note in noted[spec.id]:
            of.setdefault((spec.dataset, note), {})[spec.method] = None
    lines = []
    for (dataset, note), methods in of.items():
        everywhere = set(methods) == rows[dataset]
        where = dataset if everywhere else f"{dataset}, {', '.join(methods)}"
        lines.append(f"- {escape(where)}: {escape(note)}")
    return lines
