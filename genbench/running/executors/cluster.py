"""Runs on machines with a shared results folder: what Ray and Slurm have in common.

A concrete executor submits one process per run, polls for their exit and cancels them. Progress
comes from the runs themselves, through a mailbox in the shared folder.
"""

import time
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from genbench.errors import GenbenchError
from genbench.running.executors.base import (
    NOT_STARTED,
    Event,
    Executor,
    Job,
    exceeds_time_limit,
    final_event,
    timeout_reason,
)
from genbench.running.executors.mailbox import Mailbox, MailboxMessenger
from genbench.store.runs import Store

EXIT_TIMEOUT = 10.0
"""Seconds to wait for the lock of a run whose process is exiting."""
POLL_INTERVAL = 0.5
"""Seconds between polls of the mailbox."""


@dataclass(frozen=True)
class ExitStatus:
    """How a run's process exited; `unrecorded` if the process did not record it in the store."""

    state: str
    reason: str = ""
    seconds: float = 0.0
    unrecorded: bool = False


def execute_job(job: Job, messenger: MailboxMessenger) -> ExitStatus:
    """Execute one run, in a process that may execute further runs."""
    # torch is imported here, on the remote machine
    from genbench.running.cell import run_cell
    from genbench.running.determinism import use_threads

    use_threads(job.context.threads)
    began = time.monotonic()
    state, reason = run_cell(job, messenger)
    return ExitStatus(state, reason, time.monotonic() - began)


def prepare_and_run(
    job: Job, folder: Path, messenger: MailboxMessenger | None = None
) -> ExitStatus:
    """Check a run's data, plug-ins and device on the machine that executes it, and execute it.

    `folder` is that of the mailbox; pass a `messenger` to be able to preempt the run.
    """
    from genbench.running.determinism import use_threads
    from genbench.running.prepare import prepare

    messenger = messenger or MailboxMessenger(Mailbox(folder), job)
    use_threads(job.context.threads)
    try:
        [here] = prepare([job])
    except GenbenchError as error:
        return ExitStatus("failed", str(error), unrecorded=True)
    return execute_job(here, messenger)


def run_job(job: Job, folder: Path) -> None:
    """`prepare_and_run`, with the exit status sent to the mailbox instead of returned."""
    exit_status = prepare_and_run(job, folder)
    state, reason = exit_status.state, exit_status.reason
    if exit_status.unrecorded:
        event = final_event(job, state, reason)
        state, reason = event.state, event.reason
    updates = job.spec.updates
    Mailbox(folder).send(Event(
        job.spec.id, "finished", updates, updates, state=state, reason=reason,
        seconds=exit_status.seconds,
    ))


class ClusterExecutor(Executor):
    """Submits all runs at once, and reads their events from the shared folder."""

    on_cluster: ClassVar[bool] = True
    _stopping = False

    def prepare(self, jobs: Sequence[Job]) -> Sequence[Job]:
        """Each run looks for its data and device where it is done."""
        return jobs

    @abstractmethod
    def submit(self, jobs: Sequence[Job], mailbox: Mailbox) -> None:
        """Schedule a process for each job, which calls `run_job(job, mailbox.folder)`."""

    @abstractmethod
    def poll(self, seconds: float) -> list[tuple[str, ExitStatus]]:
        """Ids and exit statuses of the processes that have exited; blocks `seconds` at most.

        `ExitStatus("failed", REASON, unrecorded=True)` is always correct: an event that the run
        sent, or a state in the store, takes precedence.
        """

    @abstractmethod
    def cancel(self, run: str) -> None:
        """Cancel a run that is queued or being evaluated."""

    def run(self, jobs: Sequence[Job]) -> Iterator[Event]:
        if not jobs:
            return
        open_, stop_requested = {job.spec.id: job for job in jobs}, False
        training, since = set[str](), dict[str, float]()
        mailbox = Mailbox.open(Store(jobs[0].context.root).runs_folder)
        try:
            self.submit(jobs, mailbox)
            while open_:
                ended = self._polled()
                for event in mailbox.receive():
                    if event.run in open_ and event.kind == "finished":
                        sent = ExitStatus(event.state, event.reason, event.seconds)
                        yield self._finish(open_.pop(event.run), sent, mailbox)
                    elif event.run in open_:
                        mark = training.discard if event.kind == "evaluating" else training.add
                        mark(event.run)
                        if event.run not in since and event.kind != "started":
                            yield Event(event.run, "started", 0, event.updates)
                        since.setdefault(event.run, time.monotonic())
                        yield event
                for run, exit_status in ended:
                    if run in open_:
                        yield self._finish(open_.pop(run), exit_status, mailbox)
                started = [run for run in since if run in open_]
                for run in [r for r in started if exceeds_time_limit(open_[r], since[r])]:
                    self.cancel(run)
                    job = open_.pop(run)
                    timeout = ExitStatus("timed-out", timeout_reason(job), unrecorded=True)
                    yield self._finish(job, timeout, mailbox)
                if self._stopping and not stop_requested:
                    stop_requested = True
                    mailbox.request_stop()
                    for run in [name for name in open_ if name not in training]:
                        self.cancel(run)
                        reason = "" if run in since else NOT_STARTED
                        interrupted = ExitStatus("interrupted", reason)
                        yield self._finish(open_.pop(run), interrupted, mailbox)
        finally:
            mailbox.close()

    def _polled(self) -> list[tuple[str, ExitStatus]]:
        found = self.poll(POLL_INTERVAL)
        for one in found if isinstance(found, list) else [found]:
            match one:
                case (str(), ExitStatus()):
                    pass
                case _:
                    raise GenbenchError(f"{type(self).__name__}.poll gives a list of (run id, "
                                        f"ExitStatus); got {one!r}")
        return found

    def _finish(self, job: Job, exit_status: ExitStatus, mailbox: Mailbox) -> Event:
        mailbox.remove(job.spec.id)
        if exit_status.unrecorded:
            event = final_event(job, exit_status.state, exit_status.reason, EXIT_TIMEOUT)
            if event.state != "busy":  # busy: the process still holds the lock, and records it
                return event
        updates = job.spec.updates
        return Event(
            job.spec.id, "finished", updates, updates,
            state=exit_status.state, reason=exit_status.reason, seconds=exit_status.seconds,
        )

    def stop(self) -> None:
        """Safe to call from a signal handler."""
        self._stopping = True
