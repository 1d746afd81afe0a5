"""Arguments and options that commands share, and what they stand for."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from genbench.cli.output import tell
from genbench.errors import GenbenchError
from genbench.places import at_home
from genbench.suites.cluster import minutes

__all__ = [
    "RESULTS", "Account", "Cpus", "DataRoot", "Device", "Format", "Gpus", "JobTime",
    "Limit", "Offline", "Partition", "RayAddress", "Results", "RunArgument", "Seeds",
    "SuiteArgument", "Time", "Weights", "Where", "warn",
]

SuiteArgument = Annotated[str, typer.Argument(
    help="A suite's YAML file, or the name of one that `genbench list suites` shows.",
    show_default=False, callback=at_home)]
RunArgument = Annotated[str, typer.Argument(
    help="A run's id (or its start), or its folder.", callback=at_home)]
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
Cpus = Annotated[int | None, typer.Option(
    "--cpus", min=1, help="Ray, Slurm: CPU cores of each run.")]
Gpus = Annotated[float | None, typer.Option(
    "--gpus", min=0, help="Ray, Slurm: GPUs of each run; with Ray it may be a fraction.")]
Partition = Annotated[str | None, typer.Option("--partition", help="Slurm's partition.")]
JobTime = Annotated[float | None, typer.Option(
    "--time", parser=lambda text: _minutes("--time", text), metavar="TIME",
    help="Slurm's time limit of a job, which goes on in another; minutes or HH:MM:SS.")]
Account = Annotated[str | None, typer.Option("--account", help="Slurm's account.")]
RayAddress = Annotated[str | None, typer.Option(
    "--ray-address", help="Ray: HOST:PORT of a running head; by default one is started.")]
Weights = Annotated[Path | None, typer.Option(
    "--weights", help="Inception weights; by default torch-fidelity fetches its own.",
    callback=at_home)]
RESULTS = Path("results")


class Where(StrEnum):
    """Where `genbench run` does its runs."""

    local = "local"
    ray = "ray"
    slurm = "slurm"


class Format(StrEnum):
    """How `genbench table` writes."""

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
