"""Commands about what runs need: fetch, doctor.

Commands import what they need when they are called, so that `genbench --help` answers at once.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.markup import escape
from rich.table import Table

from genbench.cli.options import (
    RESULTS,
    DataRoot,
    Device,
    Offline,
    Results,
    SuiteArgument,
    Weights,
)
from genbench.cli.output import console_for, say, write
from genbench.places import cache_folder, data_root, weights_file
from genbench.steps import LOADING, step


def fetch(
    suite: SuiteArgument,
    data: DataRoot = None,
    device: Device = "auto",
    weights: Weights = None,
    offline: Offline = False,
) -> None:
    """Bring the data sets, weights and reference statistics that a suite needs."""
    from genbench.running.executors.base import Context
    from genbench.running.progress import steps_shown

    with step(LOADING):
        from genbench.running.fetch import fetch as supplies
    from genbench.suites.expand import load_plan

    plan = load_plan(suite)
    context = Context(
        Path(), data_root(data, make=True), cache_folder(), device,
        weights=weights_file(weights), offline=offline,
    )
    with steps_shown(console_for(sys.stderr), f"fetch {plan.name}"):
        found = list(supplies(plan.runs, context))
    for one in found:
        say(f"{one.sha256 or '-' * 64}  {one.bytes:>13,}  {one.what:<16}  {one.path}")
    say(f"{plan.name}: everything is here; genbench run {suite} --offline needs no network")


def doctor(
    results: Results = RESULTS,
    data: DataRoot = None,
    weights: Weights = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what is here: devices, data, weights, versions, disk; and whether bits repeat."""
    from json import dumps

    with step(LOADING):
        from genbench.running.doctor import examine

    with step("looking at what is here"):
        findings = examine(results, data_root(data), cache_folder(), weights_file(weights))
    if json:
        write(dumps([vars(one) for one in findings], indent=1) + "\n")
    else:
        table = Table(box=box.SIMPLE_HEAD)
        for name in ("", "what", "found"):
            table.add_column(name, overflow="fold")
        marks = {"ok": "[green]✓[/green]", "missing": "[yellow]–[/yellow]", "bad": "[red]✗[/red]"}
        for one in findings:
            table.add_row(marks[one.state], one.what, escape(one.found))
        console_for(sys.stdout).print(table)
    raise typer.Exit(1 if any(one.state == "bad" for one in findings) else 0)
