"""How a report opens: its title, how to reproduce it, how far it is."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from genbench.reporting.figures.draw import Figure
from genbench.reporting.results import Results
from genbench.store.runs import STATES
from genbench.suites.plan import Plan
from genbench.text.markdown import escape, lead_and_rest, prose, table

PLACE = 10


def section(results: Results, figures: Sequence[Figure]) -> list[str]:
    """Title, a sentence about it, what is not comparable, how to reproduce it, how far it is."""
    plan = results.plan
    parts = [f"# {escape(plan.title or plan.name)}"]
    lead, _ = lead_and_rest(prose(plan.suite.description).strip())
    parts += [lead] if lead else []
    if any(spec.limited for spec in plan.runs):
        parts.append(
            "> **Not comparable**: `--limit-updates` cut the training budget of these runs. They "
            "show that everything works, not how well the methods do."
        )
    suite = _suite_path(plan)
    flag = " --until-decided" * (plan.suite.looks is not None)
    parts += [f"```sh\ngenbench run {suite}{flag}\ngenbench report {suite}\n```", _state(results)]
    return parts + [f"> {escape(warning)}" for warning in plan.warnings]


def _suite_path(plan: Plan) -> str:
    """The suite as a command names it, without the folders of this machine."""
    path = Path(plan.path)
    return f"suites/{path.name}" if path.resolve().parent.name == "suites" else path.name


def _state(results: Results) -> str:
    """How many runs are in which state, and a table of those that are not done."""
    plan = results.plan
    found = {run: record.status for run, record in results.survey.records.items()}
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
