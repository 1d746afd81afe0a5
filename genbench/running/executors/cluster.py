"""Runs on other machines that see the same results folder: what Ray and Slurm have in common."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from genbench.running.executors.base import (
    NOT_STARTED,
    Event,
    Executor,
    Job,
    concluded,
    late,
    timed_out,
)
from genbench.running.executors.mailbox import Messenger, Post
from genbench.store.runs import Store

__all__ = ["Ending", "Shared", "do"]

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


def do(job: Job, messenger: Messenger) -> Ending:
    """Do one run, in a process that other runs may follow in."""
    # torch is imported here, on the machine that needs it
    from genbench.running.cell import run_cell
    from genbench.running.determinism import use_threads

    use_threads(job.context.threads)
    began = time.monotonic()
    state, reason = run_cell(job, messenger)
    return Ending(state, reason, time.monotonic() - began)


class Shared(Executor):
    """Submits every run at once, and follows them by what they leave in the shared folder."""

    def __init__(self) -> None:
        self._stopping = False

    @abstractmethod
    def submit(self, jobs: Sequence[Job], post: Post) -> None:
        """Hand the jobs over."""

    @abstractmethod
    def endings(self, seconds: float) -> list[tuple[str, Ending]]:
        """The runs that ended, waiting at most so long for the next."""

    @abstractmethod
    def withdraw(self, run: str) -> None:
        """Take a run back that waits, or evaluates."""

    def run(self, jobs: Sequence[Job]) -> Iterator[Event]:
        """See Executor."""
        if not jobs:
            return
        open_, asked = {job.spec.id: job for job in jobs}, False
        training, since = set[str](), dict[str, float]()
        post = Post.open(Store(jobs[0].context.root).runs_folder)
        try:
            self.submit(jobs, post)
            while open_:
                ended = self.endings(LOOK_EVERY)
                for event in post.news():
                    if event.run in open_:
                        mark = training.discard if event.kind == "evaluating" else training.add
                        mark(event.run)
                        if event.run not in since and event.kind != "started":
                            yield Event(event.run, "started", 0, event.updates)
                        since.setdefault(event.run, time.monotonic())
                        yield event
                for run, ending in ended:
                    if run in open_:
                        yield self._end(open_.pop(run), ending, post)
                begun = [name for name in since if name in open_]
                for run in [name for name in begun if late(open_[name], since[name])]:
                    self.withdraw(run)
                    job = open_.pop(run)
                    yield self._end(job, Ending("timed-out", timed_out(job), lost=True), post)
                if self._stopping and not asked:
                    asked = True
                    post.ask_to_stop()
                    for run in [name for name in open_ if name not in training]:
                        self.withdraw(run)
                        reason = "" if run in since else NOT_STARTED
                        yield self._end(open_.pop(run), Ending("interrupted", reason), post)
        finally:
            post.close()

    def _end(self, job: Job, ending: Ending, post: Post) -> Event:
        post.forget(job.spec.id)
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
        """See Executor; safe to call from a signal handler."""
        self._stopping = True
