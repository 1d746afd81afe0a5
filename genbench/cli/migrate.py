"""The command that calls the runs of an earlier genbench by the ids of today: migrate."""

from pathlib import Path
from typing import Annotated

import typer

from genbench.cli.options import RESULTS, DataRoot
from genbench.cli.output import say
from genbench.places import at_home, data_root


def migrate(
    results: Annotated[Path, typer.Argument(
        help="The folder of results, or of one suite's.", callback=at_home)] = RESULTS,
    data: DataRoot = None,
    trust_data: Annotated[bool, typer.Option(
        "--trust-data", help="Take the files of today for those of runs that noted no hash.",
    )] = False,
) -> None:
    """Give runs that an earlier genbench made the ids of today, so that none is trained again."""
    from genbench.running.migrate import migrate as moved
    from genbench.running.migrate import retrained

    counts = {"renamed": 0, "stay": 0, "damaged": 0}
    for one in moved(results, data_root(data), trust_data=trust_data):
        counts["damaged" if one.damaged else "stay" if one.why else "renamed"] += 1
        say(str(one))
    for line in retrained(results):
        say(line)
    found = ", ".join(f"{number} {what}" for what, number in counts.items() if number)
    say(found or f"every run below {results} has the id of today")
    raise typer.Exit(3 if counts["damaged"] else 0)
