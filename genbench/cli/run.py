"""Commands that run, draw and write: run, sample, report, table.

Commands import what they need when they are called, so that `genbench --help` answers at once.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from genbench.cli.options import (
    RESULTS,
    DataRoot,
    Device,
    Format,
    Limit,
    Offline,
    Results,
    RunArgument,
    Seeds,
    SuiteArgument,
    Time,
    Weights,
    warn,
)
from genbench.cli.output import console_for, say, write
from genbench.lookup import available
from genbench.places import at_home, data_root

if TYPE_CHECKING:
    from genbench.api.session import SuiteOutcome


def run(
    suite: SuiteArgument,
    results: Results = RESULTS,
    data: DataRoot = None,
    device: Device = "auto",
    only: Annotated[list[str] | None, typer.Option(
        "--only", help="Only runs whose method, dataset or id matches; may be repeated.",
    )] = None,
    seeds: Seeds = None,
    limit_updates: Limit = None,
    weights: Weights = None,
    executor: Annotated[str, typer.Option(
        "--executor", metavar="NAME",
        help=f"Where: {', '.join(available('executor'))}, or my_file.py:MyExecutor.",
    )] = "local",
    time_limit: Time = None,
    save_every: Annotated[float, typer.Option(
        "--save-every", min=0, help="Seconds between two checkpoints of a run.")] = 60.0,
    offline: Offline = False,
    dry_run: Annotated[bool, typer.Option(
        "--dry-run", help="Print the runs, where they stand, what is expensive; stop.")] = False,
    repair: Annotated[bool, typer.Option(
        "--repair", help="Move damaged run folders aside and run them again.")] = False,
    reuse: Annotated[list[str] | None, typer.Option(
        "--reuse", metavar="SUITE", help="Count the accepted results of this suite, or of "
        "another, as done; may be repeated.")] = None,
    until_decided: Annotated[bool, typer.Option(
        "--until-decided", help="Give rows of open claims the seeds of the suite's looks, until "
        "all are decided or given up.")] = False,
    max_seeds: Annotated[int | None, typer.Option(
        "--max-seeds", min=1, metavar="N", help="Take no look at more seeds.")] = None,
    max_hours: Annotated[float | None, typer.Option(
        "--max-hours", metavar="H", help="Then every run saves and stops.")] = None,
    **options: Any,
) -> None:
    """Train and evaluate what a suite asks for and is not done yet, and write its report."""
    from genbench.api import session

    chosen: dict[str, Any] = {
        "results": results, "only": only or [], "seeds": seeds, "limit_updates": limit_updates,
        "offline": offline, "reuse": reuse or [],
    }
    if dry_run:
        from genbench.running.session import run_matrix

        ready = session.prepare(suite, data=data_root(data), **chosen)
        ready.options_of(executor, options)
        for line in ready.warnings:
            warn(line)
        limits = session.limits_of(ready, seeds, until_decided, max_seeds, max_hours)
        say(run_matrix(ready.due(limits), ready.store))
        return
    outcome = session.run(
        suite, **chosen, data=data, device=device, weights=weights, executor=executor,
        time_limit=time_limit, save_every=save_every, repair=repair,
        until_decided=until_decided, max_seeds=max_seeds, max_hours=max_hours,
        progress=console_for(sys.stdout), warn=warn, **options,
    )
    _show(outcome)
    raise typer.Exit(outcome.exit_code)


def _show(outcome: SuiteOutcome) -> None:
    """The numbers on the screen, and where the report lies."""
    from genbench.reporting.costs import cost_table
    from genbench.reporting.sections.protocol import notes_of
    from genbench.reporting.summary import summaries
    from genbench.reporting.terminal import summary_table

    plan, found = outcome.plan, outcome.found
    if found is None:
        return
    console = console_for(sys.stdout)
    wanted = [column.partition("[")[0] for t in plan.suite.report.tables for column in t.columns]
    shown = summaries(found.cells, metrics=list(dict.fromkeys(wanted)) or None, plan=found.plan)
    for summary in shown:
        console.print(summary_table(summary, console.width))
    if found.costs:
        console.print(cost_table(found.costs))
    for note in notes_of(found, data=True):
        console.print(note, style="yellow", markup=False)
    console.print(f"report: {outcome.report}", soft_wrap=True, markup=False)


def sample(
    run: RunArgument,
    out: Annotated[Path, typer.Option(
        "--out", help="A .png, or .npz or .csv for the numbers.", callback=at_home)],
    n: Annotated[int, typer.Option("--n", min=1, max=100_000, help="How many.")] = 64,
    results: Results = RESULTS,
    data: DataRoot = None,
    device: Device = "cpu",
) -> None:
    """Draw samples of a finished run from its checkpoint."""
    from genbench.api.stored import load
    from genbench.reporting.figures.sample_files import check_ending, write_samples

    check_ending(out)
    found = load(run, results=results, data=data, device=device)
    write_samples(found.sample(n), out)
    say(f"{out}: {n} samples of {found.id}")


def report(
    suite: SuiteArgument, results: Results = RESULTS, seeds: Seeds = None,
    limit_updates: Limit = None,
) -> None:
    """Rebuild a suite's report, tables and figures from the stored results alone."""
    from genbench.api.results import report as build

    written = build(suite, results=results, seeds=seeds, limit_updates=limit_updates)
    for line in written.warnings:
        warn(line)
    say(str(written))


def table(
    suite: SuiteArgument, results: Results = RESULTS, seeds: Seeds = None,
    limit_updates: Limit = None,
    format: Annotated[Format, typer.Option("--format", help="How to write it.")] = Format.csv,
) -> None:
    """Print the tidy table: one row for each run and metric."""
    from genbench.api.results import rows
    from genbench.store.table import FORMATS, unmeasured_lines

    found = rows(suite, results=results, seeds=seeds, limit_updates=limit_updates)
    for line in unmeasured_lines(found, suite):
        warn(line)
    write(FORMATS[format.value](found))
