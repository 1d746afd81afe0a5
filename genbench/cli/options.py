"""Arguments and options that commands share, and what they stand for."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from genbench.cli.output import tell
from genbench.duration import minutes
from genbench.errors import GenbenchError
from genbench.places import at_home

SuiteArgument = Annotated[str, typer.Argument(
    help="A suite's YAML file, or the name of one that `genbench list suites` shows.",
    show_default=False, callback=at_home)]
RunArgument = Annotated[str, typer.Argument(
    help="A run's id, its start or the hash at its end; or its folder.", callback=at_home)]
Results = Annotated[Path, typer.Option(
    "--results", help="The folder of results.", callback=at_home)]
Seeds = Annotated[int | None, typer.Option("--seeds", min=1, help="Use seeds 0 … N−1.")]
Limit = Annotated[int | None, typer.Option(
    "--limit-updates", min=1, help="Cut every budget, for a trial; such runs are not comparable.")]
DataRoot = Annotated[Path | None, typer.Option(
    "--data", help="The folder of data files, a torchvision root; by default GENBENCH_DATA.",
    callback=at_home)]
Device = Annotated[str, typer.Option("--device", help="auto, cpu, cuda or cuda:N.")]
Time = Annotated[float | None, typer.Option(
    "--time-limit", parser=lambda text: _minutes("--time-limit", text), metavar="TIME",
    help="How long a run may take, in minutes or HH:MM:SS; by default the suite's.")]
Offline = Annotated[bool, typer.Option(
    "--offline", envvar="GENBENCH_OFFLINE", help="Never try to reach the network.")]
Weights = Annotated[Path | None, typer.Option(
    "--weights", help="Inception weights; by default torch-fidelity fetches its own.",
    callback=at_home)]
RESULTS = Path("results")


class Format(StrEnum):
    """How `genbench table` and `genbench claims` write."""

    csv = "csv"
    json = "json"
    markdown = "markdown"


def _minutes(option: str, text: str) -> float:
    """A time in minutes."""
    try:
        return minutes(text)
    except ValueError as error:
        raise GenbenchError(f"{option}: expected {error}, got '{text}'") from None


def warn(line: str) -> None:
    """Print a warning of a suite."""
    tell(f"warning: {line}", "yellow")
