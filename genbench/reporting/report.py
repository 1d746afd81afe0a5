"""The report of a suite: Markdown, CSV and PNG from the store alone, the same bytes each time.

No clock, no absolute path, nothing unordered: a report is rebuilt from stored runs and differs
only where they do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from genbench.judging.cells import Cell, cells_of
from genbench.judging.claims import Verdict, judge
from genbench.judging.ranking import LEGEND
from genbench.reporting.costs import cost_section, costs_of
from genbench.reporting.figures.draw import Figure, draw_figures
from genbench.reporting.numbers import Numbers
from genbench.reporting.origins import made_with, mixed_rows, origins_of, planned_claims
from genbench.reporting.protocols import protocols
from genbench.reporting.seeds import seeds_table
from genbench.reporting.tables import Table, make_tables
from genbench.reporting.targets import targets_table
from genbench.steps import step
from genbench.store.files import write_text
from genbench.store.runs import STATES, Record, Status, Store
from genbench.store.table import FORMATS, Survey, survey
from genbench.suites.plan import Plan
from genbench.suites.spec import REAL
from genbench.text.markdown import Footnotes, code, escape, lead_and_rest, prose, table

__all__ = ["Findings", "build", "gather"]


class Findings(NamedTuple):
    """What is stored of a plan's runs, and its table by cell."""

    survey: Survey
    cells: list[Cell]


def gather(plan: Plan, store: Store, known: Mapping[str, Record] | None = None) -> Findings:
    """Read the runs of a plan, but for those of which the record is `known`.

    Raises:
        StoreError: a damaged run folder.
    """
    found = survey(plan, store, known)
    return Findings(found, cells_of(found.rows))


def build(plan: Plan, store: Store, out: Path, found: Findings | None = None) -> Path:
    """Write `report.md`, `metrics.csv` and `figures/` into `out`; gives the report's path.

    `found` is what `gather` gives, for those who have it already.

    Raises:
        StoreError: a damaged run folder, or an `out` that cannot be written.
    """
    with step("drawing and writing the report"):
        return _build(plan, store, out, found or gather(plan, store))


def _build(plan: Plan, store: Store, out: Path, found: Findings) -> Path:
    runs, cells = found
    origins = origins_of(plan, store)
    numbers = Numbers(plan, runs.rows, mixed_rows(origins), _log_dets(runs), cells)
    figures = draw_figures(numbers, store, out)
    verdicts = judge(plan, cells, planned_claims(origins)) if plan.suite.report.claims else []
    parts = [
        *_opening(plan, {run: one.status for run, one in runs.records.items()}),
        *_results(make_tables(numbers), figures),
        *targets_table(numbers),
        *_claims(verdicts),
        *seeds_table(numbers, cells),
        *_pictures("Figures", figures, "figures"),
        *_pictures("Training", figures, "training"),
        *_about(plan),
        *_methods(plan),
        *cost_section(numbers, costs_of(numbers, origins)),
        *protocols(plan, runs),
        *made_with(origins),
    ]
    write_text(out / "metrics.csv", FORMATS["csv"](runs.rows))
    write_text(out / "report.md", "\n\n".join(part.strip("\n") for part in parts) + "\n")
    return out / "report.md"


def _log_dets(runs: Survey) -> dict[str, float]:
    """What the scaling of a run adds to a log density, nats, where that is constant."""
    budgets = {run: record.metrics.get("budget", {}) for run, record in runs.records.items()}
    return {
        run: float(budget["log_det"])
        for run, budget in budgets.items() if budget.get("log_det") is not None
    }


def _opening(plan: Plan, status: Mapping[str, Status]) -> list[str]:
    """Title, a sentence about it, what is not comparable, how to reproduce it, how far it is."""
    parts = [f"# {escape(plan.title or plan.name)}"]
    lead, _ = lead_and_rest(prose(plan.suite.description).strip())
    parts += [lead] if lead else []
    if any(spec.limited for spec in plan.runs):
        parts.append(
            "> **Not comparable**: `--limit-updates` cut the training budget of these runs. They "
            "show that everything works, not how well the methods do."
        )
    suite = _suite_path(plan)
    parts += [f"```sh\ngenbench run {suite}\ngenbench report {suite}\n```", _state(plan, status)]
    return parts + [f"> {escape(warning)}" for warning in plan.warnings]


def _suite_path(plan: Plan) -> str:
    """The suite as a command names it, without the folders of this machine."""
    path = Path(plan.path)
    return f"suites/{path.name}" if path.resolve().parent.name == "suites" else path.name


def _state(plan: Plan, found: Mapping[str, Status]) -> str:
    """How many runs are in which state, and a table of those that are not done."""
    counts = Counter(status.state for status in found.values())
    words = ", ".join(f"{counts[state]} {state}" for state in STATES if counts[state])
    text = f"{len(plan.runs)} runs: {words or 'none planned'}."
    rows = []
    for spec in plan.runs:
        status = found[spec.id]
        if status.state in ("done", "queued"):
            continue
        rows.append([
            escape(spec.method), escape(spec.dataset), str(spec.seed), status.state,
            f"{status.update:,} of {status.updates:,}" if status.updates else "–",
            escape(status.reason),
        ])
    head = ["method", "dataset", "seed", "state", "updates", "reason"]
    return text + ("\n\n" + table(head, rows, left=6) if rows else "")


def _results(tables: list[Table], figures: list[Figure]) -> list[str]:
    """Every table, followed by the pictures of its dataset where it is the first of it."""
    parts = ["## Results"]
    shown: set[str] = set()
    for one in tables:
        parts += [f"### {escape(one.title)}", one.text]
        if one.spread:
            parts.append(
                "<details><summary>Spread over sample sets: standard deviation over independent "
                "sample sets of one model, mean over seeds</summary>\n\n"
                f"{one.spread}\n</details>"
            )
        for figure in figures:
            if figure.dataset == one.dataset and figure.place == "results":
                if figure.file not in shown:
                    parts.append(_image(figure))
                shown.add(figure.file)
    others = [f for f in figures if f.place == "results" and f.file not in shown]
    return parts + [_image(figure) for figure in others] + [
        f"± is the standard deviation over seeds (n − 1); {LEGEND}; real data, what is better "
        "than they are, and rows that lack a seed are never bold. ↓ lower is better, ↑ higher is "
        "better, → best at the value of the real row or the truth."
    ]


def _image(figure: Figure) -> str:
    title = escape(figure.title)
    return f"![{title}]({figure.file})\n\n*{title}. {escape(figure.caption)}*"


def _pictures(heading: str, figures: list[Figure], place: str) -> list[str]:
    """A section with the figures that stand there, or nothing."""
    images = [_image(figure) for figure in figures if figure.place == place]
    return [f"## {heading}", *images] if images else []


def _claims(verdicts: list[Verdict]) -> list[str]:
    """The verdicts, or nothing for a suite without claims."""
    if not verdicts:
        return []
    notes = Footnotes()
    rows = [
        [
            escape(v.id), escape(v.text), code(v.expect) if v.expect else "–",
            f"**{v.verdict}**{' *post hoc*' * v.post_hoc}{notes.mark(v.evidence)}",
        ]
        for v in verdicts
    ]
    text = table(["claim", "statement", "expectation", "verdict"], rows, left=4)
    if any(v.post_hoc for v in verdicts):
        text += ("\n*Post hoc*: the claim was not in the suite, or not in these words, when a run "
                 "that it rests on first began.\n")
    return ["## Claims", text + "\n" + notes.text()]


def _about(plan: Plan) -> list[str]:
    """The description, but for the sentence that opens the report."""
    _, rest = lead_and_rest(prose(plan.suite.description).strip())
    return ["## About", rest] if rest else []


def _methods(plan: Plan) -> list[str]:
    """What each row is."""
    rows = [
        [code(name), escape(info.title), escape(info.family), escape(info.summary)]
        for name, info in plan.methods.items() if name != REAL
    ]
    return ["## Methods", table(["row", "method", "family", "what it is"], rows, left=4)]
