"""The command that makes results the accepted ones: accept."""

from typing import Annotated

import typer

from genbench.cli.options import RESULTS, Results, SuiteArgument, warn
from genbench.cli.output import say


def accept(
    suite: SuiteArgument,
    results: Results = RESULTS,
    only: Annotated[list[str] | None, typer.Option(
        "--only", help="Only runs whose method, dataset or id matches; may be repeated.",
    )] = None,
    partial: Annotated[bool, typer.Option(
        "--partial", help="Leave out runs that have no result.")] = False,
) -> None:
    """Accept finished runs: write what reports need of them to files for git, and the report."""
    from genbench.api.accepting import accept as accepted

    done = accepted(suite, only=only or [], partial=partial, results=results)
    for line in done.warnings:
        warn(line)
    say(str(done))
