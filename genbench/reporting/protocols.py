"""How the numbers of a report were measured: protocols and notes."""

from __future__ import annotations

import pandas as pd

from genbench.reporting.markdown import code, escape, table
from genbench.store.runs import Store
from genbench.suites.plan import Plan

__all__ = ["protocols"]


def protocols(plan: Plan, store: Store, frame: pd.DataFrame) -> list[str]:
    """The section that says how each number was measured."""
    found: dict[tuple[str, str], tuple[str, str, str, dict[str, None]]] = {}
    for row in frame.itertuples(index=False):
        if row.status == "ok":
            key = (str(row.metric), str(row.protocol))
            if key not in found:
                found[key] = (str(row.title), str(row.unit), str(row.better), {})
            found[key][3][str(row.dataset)] = None
    rows = [
        [code(metric), escape(title), escape(unit), better, escape(protocol) or "–",
         escape(", ".join(datasets))]
        for (metric, protocol), (title, unit, better, datasets) in sorted(found.items())
    ]
    if not rows:
        return []
    head = ["metric", "title", "unit", "better", "protocol", "datasets"]
    notes = _notes(plan, store)
    return ["## Protocol", table(head, rows, left=6), *(["\n".join(notes)] if notes else [])]


def _notes(plan: Plan, store: Store) -> list[str]:
    """The notes of the runs as a list: those that all runs of a dataset share are said once."""
    of: dict[tuple[str, str], dict[str, None]] = {}
    rows: dict[str, set[str]] = {}
    for spec in plan.runs:
        folder = store.run(spec.id)
        if not folder.finished:
            continue
        rows.setdefault(spec.dataset, set()).add(spec.method)
        for note in folder.metrics()["notes"]:
            of.setdefault((spec.dataset, str(note)), {})[spec.method] = None
    lines = []
    for (dataset, note), methods in of.items():
        everywhere = set(methods) == rows[dataset]
        where = dataset if everywhere else f"{dataset}, {', '.join(methods)}"
        lines.append(f"- {escape(where)}: {escape(note)}")
    return lines
