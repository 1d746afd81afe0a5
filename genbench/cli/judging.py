"""Commands that judge numbers: compare, check.

Commands import what they need when they are called, so that `genbench --help` answers at once.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genbench.cli.options import (
    RESULTS,
    Results,
    Seeds,
    SuiteArgument,
    console_for,
    store_of,
)

if TYPE_CHECKING:
    from pandas import DataFrame


__all__ = ["check", "compare"]


def compare(
    a: Annotated[str, typer.Argument(help="A suite, a results folder, a table or a baseline.")],
    b: Annotated[str, typer.Argument(help="What it is compared with.")],
    results: Results = RESULTS,
) -> None:
    """Print how B's numbers differ from A's, and which differences are significant."""
    from genbench.reporting.compare import compare as differences
    from genbench.reporting.compare import compare_table

    frame = differences(numbers_of(a, results), numbers_of(b, results))
    console_for(sys.stdout).print(compare_table(frame, a, b))


def check(
    suite: SuiteArgument,
    baseline: Annotated[Path | None, typer.Option(
        "--baseline", help="Accepted numbers; by default results/<suite>/baseline.json.",
        show_default=False)] = None,
    results: Results = RESULTS,
    seeds: Seeds = None,
    update: Annotated[bool, typer.Option(
        "--update", help="Accept the stored numbers as the baseline.")] = False,
    junit: Annotated[Path | None, typer.Option(
        "--junit", help="Write the verdicts as JUnit XML.")] = None,
    markdown: Annotated[Path | None, typer.Option(
        "--markdown", help="Write the verdicts as Markdown.")] = None,
    allow_inconclusive: Annotated[bool, typer.Option(
        "--allow-inconclusive", help="Do not fail on cells with fewer than three seeds.")] = False,
) -> None:
    """Hold stored numbers against a baseline.

    Exit code 0: fine; 1: regressed; 2: usage or missing input; 3: runs failed or nothing measured.
    """
    from genbench.reporting import gate
    from genbench.reporting import junit as writing
    from genbench.store.files import write_text
    from genbench.store.table import tidy
    from genbench.suites.expand import load_plan

    plan = load_plan(suite, seeds=seeds)
    frame = tidy(plan, store_of(results, plan))
    accepted = baseline or results / plan.name / "baseline.json"
    if update:
        kept = gate.accept(frame, accepted)
        print(f"{accepted}: {len(kept.cells)} cells accepted")
        return
    outcome = gate.check(frame, accepted, allow_inconclusive=allow_inconclusive)
    if junit:
        write_text(junit, writing.junit_xml(outcome))
    if markdown:
        write_text(markdown, writing.markdown(outcome))
    console = console_for(sys.stdout)
    table = writing.terminal_table(outcome)
    if table.row_count:
        console.print(table)
    console.print(outcome.summary, soft_wrap=True, markup=False)
    raise typer.Exit(outcome.exit_code)


def numbers_of(name: str, results: Path) -> DataFrame:
    """The tidy table of a suite, a results folder, a metrics.csv or a baseline.json."""
    from genbench.reporting.compare import load_numbers
    from genbench.store.table import tidy
    from genbench.suites.expand import load_plan

    path = Path(name)
    if path.suffix in (".yaml", ".yml") or not path.exists():
        plan = load_plan(name)
        return tidy(plan, store_of(results, plan))
    return load_numbers(path)


