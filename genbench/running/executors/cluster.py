"""Runs on machines that share the folder of results: what Ray and Slurm have in common.

A cluster's own part is to start a process for each run, to say which ended, and to end them. What
happens in between the runs tell themselves, through a mailbox in the shared folder.
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
    concluded,
    over_time,
    timed_out,
)
from genbench.running.executors.mailbox import Mailbox, MailboxMessenger
from genbench.store.runs import Store

PATIENCE = 10.0
"""Seconds that a process which was told to end has to let go of its run."""
LOOK_EVERY = 0.5
"""Seconds between two looks at what runs have to say."""


@dataclass(frozen=True)
class Ending:
    """How a run ended; `lost` says that its process went without a word."""

    state: str
    reason: str = ""
    seconds: float = 0.0
    lost: bool = False


def do(job: Job, messenger: MailboxMessenger) -> Ending:
    """Do one run, in a process that other runs may follow in."""
    # torch is imported here, on the machine that needs it
    from genbench.running.cell import run_cell
    from genbench.running.determinism import use_threads

    use_threads(job.context.threads)
    began = time.monotonic()
    state, reason = run_cell(job, messenger)
    return Ending(state, reason, time.monotonic() - began)


def check_and_do(job: Job, folder: Path, messenger: MailboxMessenger | None = None) -> Ending:
    """Look for data, plug-ins and device of a run on the machine where it is done, and do it.

    `folder` is that of the mailbox; a `messenger` may be given that can be told to end.
    """
    from genbench.running.determinism import use_threads
    from genbench.running.prepare import prepare

    messenger = messenger or MailboxMessenger(Mailbox(folder), job)
    use_threads(job.context.threads)
    try:
        [here] = prepare([job])
    except GenbenchError as error:
        return Ending("failed", str(error), lost=True)
    return do(here, messenger)


def carry_out(job: Job, folder: Path) -> None:
    """`check_and_do` in a process whose result nobody takes: the mailbox tells how it ended."""
    ending = check_and_do(job, folder)
    state, reason = ending.state, ending.reason
    if ending.lost:
        event = concluded(job, state, reason)
        state, reason = event.state, event.reason
    updates = job.spec.updates
    Mailbox(folder).tell(Event(
        job.spec.id, "finished", updates, updates, state=state, reason=reason,
        seconds=ending.seconds,
    ))


class ClusterExecutor(Executor):
    """Submits every run at once, and follows them by what they leave in the shared folder."""

    on_cluster: ClassVar[bool] = True
    _stopping = False

    def prepare(self, jobs: Sequence[Job]) -> Sequence[Job]:
        """Each run looks for its data and device where it is done."""
        return jobs

    @abstractmethod
    def submit(self, jobs: Sequence[Job], mailbox: Mailbox) -> None:
        """Have a process for each job call `carry_out(job, mailbox.folder)`, now or later."""

    @abstractmethod
    def endings(self, seconds: float) -> list[tuple[str, Ending]]:
        """The ids of the runs whose processes ended, and how, after so many seconds at most.

        `Ending("failed", REASON, lost=True)` is right for every one: what the run itself or the
        store tells goes first.
        """

    @abstractmethod
    def withdraw(self, run: str) -> None:
        """End a run that waits, or evaluates."""

    def run(self, jobs: Sequence[Job]) -> Iterator[Event]:
        if not jobs:
            return
        open_, asked = {job.spec.id: job for job in jobs}, False
        training, since = set[str](), dict[str, float]()
        mailbox = Mailbox.open(Store(jobs[0].context.root).runs_folder)
        try:
            self.submit(jobs, mailbox)
            while open_:
                ended = self.endings(LOOK_EVERY)
                for event in mailbox.news():
                    if event.run in open_ and event.kind == "finished":
                        told = Ending(event.state, event.reason, event.seconds)
                        yield self._end(open_.pop(event.run), told, mailbox)
                    elif event.run in open_:
                        mark = training.discard if event.kind == "evaluating" else training.add
                        mark(event.run)
                        if event.run not in since and event.kind != "started":
                            yield Event(event.run, "started", 0, event.updates)
                        since.setdefault(event.run, time.monotonic())
                        yield event
                for run, ending in ended:
                    if run in open_:
                        yield self._end(open_.pop(run), ending, mailbox)
                begun = [name for name in since if name in open_]
                for run in [name for name in begun if over_time(open_[name], since[name])]:
                    self.withdraw(run)
                    job = open_.pop(run)
                    yield self._end(job, Ending("timed-out", timed_out(job), lost=True), mailbox)
                if self._stopping and not asked:
                    asked = True
                    mailbox.ask_to_stop()
                    for run in [name for name in open_ if name not in training]:
                        self.withdraw(run)
                        reason = "" if run in since else NOT_STARTED
                        yield self._end(open_.pop(run), Ending("interrupted", reason), mailbox)
        finally:
            mailbox.close()

    def _end(self, job: Job, ending: Ending, mailbox: Mailbox) -> Event:
        mailbox.forget(job.spec.id)
        if ending.lost:
            event = concluded(job, ending.state, ending.reason, PATIENCE)
            if event.state != "busy":  # else what is left of its process says how it ended
                return event
        updates = job.spec.updates
        return Event(
            job.spec.id, "finished", updates, updates,
            state=ending.state, reason=ending.reason, seconds=ending.seconds,
        )

    def stop(self) -> None:
        """Safe to call from a signal handler."""
        self._stopping = True
