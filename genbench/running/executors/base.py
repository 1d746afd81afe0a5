"""The contract of an executor: submit runs, iterate over their events."""

import os
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import ClassVar, Literal

from genbench.configured import Configured
from genbench.errors import StoreError
from genbench.store.runs import Status, Store
from genbench.suites.spec import RunSpec

NOT_STARTED = "not started"
"""The reason of a run that was still queued when a stop was requested."""


@dataclass(frozen=True)
class Context:
    """The environment of a run: everything besides its specification."""

    root: Path
    """The suite's results folder."""
    data: Path
    """The root of data files."""
    cache: Path
    """Extractors, reference statistics and decoded images."""
    device: str = "cpu"
    threads: int = 1
    """CPU threads of a run on a cluster; local workers have their own number."""
    weights: Path | None = None
    """The Inception weights, or None for torch-fidelity's own download."""
    offline: bool = False
    claims: tuple[str, ...] = ()
    """Hashes of the suite's claims, which a run records at its first start."""
    save_every: float = 60.0
    """Seconds between checkpoints."""
    time_limit: float | None = None
    """Minutes after which a run is stopped and recorded as timed-out."""


@dataclass(frozen=True)
class Job:
    """One run to be executed."""

    spec: RunSpec
    context: Context


@dataclass(frozen=True)
class Event:
    """Something that happened to a run."""

    run: str
    kind: Literal["started", "progress", "evaluating", "finished"]
    update: int = 0
    updates: int = 0
    losses: Mapping[str, float] = field(default_factory=dict)
    step: str = ""
    """For "evaluating": what is being measured."""
    fraction: float = 0.0
    """For "evaluating": the fraction of the evaluation that is done."""
    state: str = ""
    """For "finished": done, diverged, failed, timed-out, interrupted, or busy (another runner has
    it)."""
    reason: str = ""
    seconds: float = 0.0


def cores() -> int:
    """The CPU cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def exceeds_time_limit(job: Job, since: float) -> bool:
    """Whether a run that started at `since` (of `time.monotonic`) is over its time limit."""
    limit = job.context.time_limit
    return limit is not None and time.monotonic() - since > 60 * limit


def final_event(job: Job, state: str, reason: str, lock_timeout: float = 0.0) -> Event:
    """Record the state of a run whose process exited without doing so; the "finished" event.

    A final state that the store already has takes precedence. See `Store.conclude`.
    """
    try:
        status = Store(job.context.root).conclude(job.spec.id, state, reason, lock_timeout)
    except StoreError as error:
        status = Status("failed", f"{reason}; {error}" if reason else str(error))
    return Event(job.spec.id, "finished", state=status.state, reason=status.reason)


def timeout_reason(job: Job) -> str:
    """The reason of a run that exceeded its time limit."""
    assert job.context.time_limit is not None
    return f"took longer than its limit of {timedelta(minutes=job.context.time_limit)}"


class Executor(Configured, ABC):
    """Executes runs on some backend and yields their events in order.

    A concrete executor declares the options of its backend as typed fields. They are flags of
    `genbench run` and arguments of `genbench.run`.

    Class constants, read without importing:
        package: the package that it needs; `pip install 'genbench[NAME]'` brings it.
        on_cluster: whether a suite's `cluster:` may give its options.
        cite: keys of references.bib.
    """

    component_kind: ClassVar[str] = "executor"
    package: ClassVar[str] = ""
    on_cluster: ClassVar[bool] = False
    cite: ClassVar[str] = ""

    def __init__(self, **options: object) -> None:
        self.configure(options)

    @abstractmethod
    def where(self, device: str) -> str:
        """Where runs are executed, as `genbench run` prints it before they start: "on Slurm"."""

    @abstractmethod
    def prepare(self, jobs: Sequence[Job]) -> Sequence[Job]:
        """Check, before any run starts, that data, plug-ins and devices are there.

        Returns the jobs with their devices assigned.

        Raises:
            GenbenchError: what is missing, in one line.
        """

    @abstractmethod
    def run(self, jobs: Sequence[Job]) -> Iterator[Event]:
        """Execute the jobs; each one ends with one "finished" event."""

    @abstractmethod
    def stop(self) -> None:
        """Request that every run saves and stops; `run` then yields their remaining events."""

    @abstractmethod
    def close(self) -> None:
        """Terminate all processes and release resources."""
