"""Arguments and options that commands share, and what they stand for."""

from __future__ import annotations

import os
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from genbench.cli.output import tell
from genbench.errors import DataError, GenbenchError
from genbench.places import downloads_folder
from genbench.suites.cluster import Cluster, minutes

if TYPE_CHECKING:
    from genbench.store.runs import Store
    from genbench.suites.expand import Plan

__all__ = [
    "RESULTS", "Account", "Cpus", "DataRoot", "Device", "Format", "Gpus", "JobTime",
    "Limit", "Offline", "Partition", "RayAddress", "Results", "RunArgument", "Seeds",
    "SuiteArgument", "Time", "Weights", "Where", "at_home", "cluster_of", "data_root",
    "recall", "report_folder", "store_of", "time_limit_of", "warn", "weights_file",
]

P = TypeVar("P", str, Path, None)


def at_home(path: P) -> P:
    """A path, with the home folder in the place of `~`: no shell does that in `--option=~/x`.

    Raises:
        GenbenchError: there is no home folder, or none of the user who is named.
    """
    if path is None or not str(path).startswith("~"):
        return path
    try:
        return type(path)(Path(path).expanduser())
    except RuntimeError:
        raise GenbenchError(f"{path}: there is no such home folder") from None


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


def time_limit_of(plan: Plan, flag: float | None) -> float | None:
    """Minutes that a run may take: the flag, or else what the suite says."""
    if flag is None and plan.suite.time_limit is not None:
        return minutes(plan.suite.time_limit)
    return flag


def cluster_of(plan: Plan, **flags: object) -> Cluster:
    """What runs ask of a cluster: the suite's settings, changed by the flags that were given."""
    given = {name: value for name, value in flags.items() if value is not None}
    return plan.suite.cluster.model_copy(update=given)


def store_of(results: Path, plan: Plan) -> Store:
    """The stored runs of a plan."""
    from genbench.store.runs import Store

    return Store(results / plan.name)


def recall(plan: Plan, results: Path) -> tuple[Plan, Store]:
    """A plan as it was last run, on the data of then, and its stored runs."""
    from genbench.store.contents import recalled

    store = store_of(results, plan)
    return recalled(plan, store), store


def report_folder(results: Path, plan: Plan, limit_updates: int | None) -> Path:
    """Where the report goes; a trial's never takes the place of the real one."""
    folder = results / plan.name
    return folder / f"limited-{limit_updates}" if limit_updates else folder


def data_root(given: Path | None, *, make: bool = False) -> Path:
    """The data root: --data, GENBENCH_DATA, or a folder in the cache that downloads go to.

    One that GENBENCH_DATA names may be missing: not every suite reads files.

    Raises:
        DataError: --data names a folder that is not there, or, with `make`, cannot be made.
    """
    chosen = given or (os.environ.get("GENBENCH_DATA") or None)
    if chosen is None:
        return downloads_folder()
    folder = at_home(Path(chosen))
    source = "--data" if given else "GENBENCH_DATA"
    if make:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DataError(f"{source} {folder}: cannot make it: {error.strerror}") from None
    if given and not folder.is_dir():
        raise DataError(f"{source} {folder}: there is no such folder")
    return folder


def weights_file(path: Path | None) -> Path | None:
    """The file of Inception weights, where one was given."""
    if path is not None and not path.is_file():
        raise DataError(f"--weights {path}: there is no such file")
    return path


def warn(plan: Plan, more: Iterable[str] = ()) -> None:
    """Print a suite's warnings."""
    for warning in (*plan.warnings, *more):
        tell(f"warning: {warning}", "yellow")
