"""Commands that run, draw and write: run, sample, report, table.

Commands import what they need when they are called, so that `genbench --help` answers at once.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genbench.cli.options import (
    RESULTS,
    Account,
    Cpus,
    DataRoot,
    Device,
    Format,
    Gpus,
    JobTime,
    Limit,
    Offline,
    Partition,
    RayAddress,
    Results,
    RunArgument,
    Seeds,
    SuiteArgument,
    Time,
    Weights,
    Where,
    at_home,
    cluster_of,
    data_root,
    recall,
    report_folder,
    store_of,
    time_limit_of,
    warn,
    weights_file,
)
from genbench.cli.output import console_for, say, write
from genbench.cli.waiting import LOADING
from genbench.places import cache_folder
from genbench.steps import step

if TYPE_CHECKING:
    from genbench.store.runs import Record, Store
    from genbench.suites.expand import Plan

__all__ = ["report", "run", "sample", "table"]


def run(
    suite: SuiteArgument,
    results: Results = RESULTS,
    data: DataRoot = None,
    device: Device = "auto",
    workers: Annotated[int | None, typer.Option(
        "--workers", min=1, help="Worker processes; by default one a core.")] = None,
    threads: Annotated[int, typer.Option(
        "--threads", min=1, help="CPU threads of each run; other numbers give other bits.")] = 1,
    only: Annotated[list[str] | None, typer.Option(
        "--only", help="Only runs whose method, dataset or id matches; may be repeated.",
    )] = None,
    seeds: Seeds = None,
    limit_updates: Limit = None,
    weights: Weights = None,
    executor: Annotated[Where, typer.Option(
        "--executor", help="Where: on this machine, on a Ray or on a Slurm cluster.",
    )] = Where.local,
    cpus: Cpus = None,
    gpus: Gpus = None,
    ray_address: RayAddress = None,
    partition: Partition = None,
    time: JobTime = None,
    account: Account = None,
    time_limit: Time = None,
    save_every: Annotated[float, typer.Option(
        "--save-every", min=0, help="Seconds between two checkpoints of a run.")] = 60.0,
    offline: Offline = False,
    dry_run: Annotated[bool, typer.Option(
        "--dry-run", help="Print the runs, where they stand, what is dear; stop.")] = False,
    repair: Annotated[bool, typer.Option(
        "--repair", help="Move damaged run folders aside and run them again.")] = False,
) -> None:
    """Train and evaluate what a suite asks for and is not done yet, and write its report."""
    from genbench.running.contents import present
    from genbench.running.session import Request, dry, run_suite
    from genbench.suites.expand import load_plan

    plan = load_plan(suite, seeds=seeds, limit_updates=limit_updates)
    store, root = store_of(results, plan), data_root(data)
    there = present(plan, store, root, offline=offline)
    warn(plan, there.changed)
    plan = there.plan
    chosen = plan.only(only) if only else plan
    _held_by(plan, store, note=not dry_run)
    if dry_run:
        say(dry(chosen, store))
        return
    request = Request(
        device, workers, root, cache_folder(), weights_file(weights), repair,
        executor.value, ray_address=ray_address, offline=offline, save_every=save_every,
        time_limit=time_limit_of(plan, time_limit), threads=threads, contents=there.contents,
        cluster=cluster_of(
            plan, cpus=cpus, gpus=gpus, partition=partition, time=time, account=account
        ),
    )
    outcome = run_suite(chosen, store, request, console_for(sys.stdout))
    if not outcome.stopped:
        _conclude(plan, store, report_folder(results, plan, limit_updates), outcome.before)
    raise typer.Exit(outcome.exit_code)


def _held_by(plan: Plan, store: Store, *, note: bool) -> None:
    """Refuse a results folder of another suite; `note` whose it is now."""
    from genbench.store.holder import check_holder, hold

    if note:
        store.prepare()
        hold(store.root, plan.path)
    else:
        check_holder(store.root, plan.path)


def _conclude(plan: Plan, store: Store, out: Path, known: Mapping[str, Record]) -> None:
    """The numbers on the screen, and where the report lies."""
    from genbench.reporting.costs import cost_table, costs_of
    from genbench.reporting.numbers import Numbers
    from genbench.reporting.origins import origins_of
    from genbench.reporting.protocols import notes_of
    from genbench.reporting.report import build, gather
    from genbench.reporting.terminal import summary_tables

    found = gather(plan, store, known)
    path = build(plan, store, out, found)
    console = console_for(sys.stdout)
    wanted = [column.partition("[")[0] for t in plan.suite.report.tables for column in t.columns]
    tables = summary_tables(
        found.cells, metrics=list(dict.fromkeys(wanted)) or None, width=console.width
    )
    for table_ in tables:
        console.print(table_)
    numbers = Numbers(plan, found.survey.frame, cells=found.cells)
    if costs := costs_of(numbers, origins_of(plan, store)):
        console.print(cost_table(costs))
    for note in notes_of(plan, found.survey, data=True):
        console.print(note, style="yellow", markup=False)
    console.print(f"report: {path}", soft_wrap=True, markup=False)


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
    from genbench.reporting.sheets import check_ending, write_samples

    check_ending(out)
    with step(LOADING):
        from genbench.running.sampling import draw, find_run

    folder = find_run(run, results)
    with step(f"drawing {n} samples of {folder.id}"):
        samples = draw(folder, n, data=data_root(data), cache=cache_folder(), device=device)
    write_samples(samples, out)
    say(f"{out}: {n} samples of {folder.id}")


def report(
    suite: SuiteArgument, results: Results = RESULTS, seeds: Seeds = None,
    limit_updates: Limit = None,
) -> None:
    """Rebuild a suite's report, tables and figures from the stored results alone."""
    from genbench.reporting.report import build
    from genbench.suites.expand import load_plan

    plan, store = recall(load_plan(suite, seeds=seeds, limit_updates=limit_updates), results)
    _held_by(plan, store, note=True)
    path = build(plan, store, report_folder(results, plan, limit_updates))
    say(str(path))


def table(
    suite: SuiteArgument, results: Results = RESULTS, seeds: Seeds = None,
    limit_updates: Limit = None,
    format: Annotated[Format, typer.Option("--format", help="How to write it.")] = Format.csv,
) -> None:
    """Print the tidy table: one row for each run and metric."""
    from genbench.store.table import FORMATS, tidy
    from genbench.suites.expand import load_plan

    plan, store = recall(load_plan(suite, seeds=seeds, limit_updates=limit_updates), results)
    write(FORMATS[format.value](tidy(plan, store)))
