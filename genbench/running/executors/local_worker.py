"""What a worker process does: one job after another, until its pipe closes."""

import multiprocessing
import os
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from genbench.running.executors.base import Event, Job

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""What ends a whole process group; the runner handles them for all."""
_LEFT_TO_PARENT = (signal.SIGTERM, signal.SIGHUP)
TELL_EVERY = 0.2
"""Seconds between two messages about a run's progress."""


class _PipeMessenger:
    """The hooks of a run, over a pipe."""

    def __init__(self, pipe: Connection, job: Job) -> None:
        self.pipe = pipe
        self.run, self.updates = job.spec.id, job.spec.updates
        self.told = 0.0

    def progress(self, update: int, losses: Mapping[str, float]) -> None:
        now = time.monotonic()
        if now - self.told > TELL_EVERY:
            self.told = now
            with suppress(OSError):  # nobody listens any more: `stopping` says so, and it saves
                self.pipe.send(Event(self.run, "progress", update, self.updates, dict(losses)))

    def evaluating(self, step: str = "", share: float = 0.0) -> None:
        event = Event(self.run, "evaluating", self.updates, self.updates, step=step, share=share)
        try:
            self.pipe.send(event)
        except OSError:
            # nobody listens any more, and what was trained is saved: to raise it would be to have
            # it taken for a fault of the metric that is measured just now
            os._exit(1)

    def stopping(self) -> bool:
        # to a worker that is busy comes nothing but "stop", or the end of the pipe
        return self.pipe.poll()


def work(pipe: Connection, threads: int) -> None:
    """Serve jobs from `pipe`: ("prepare" or "contents", jobs), ("run", job); None is the end.

    STOP_SIGNALS are the parent's to handle, which they reach too where a whole process group is
    signalled: it sends ("stop", None), at which a run saves and ends.
    """
    _ignore_signals()
    # a daemon, which ends with its runner, and yet a user's data loader may start processes
    multiprocessing.current_process()._config["daemon"] = False  # type: ignore[attr-defined]
    os.register_at_fork(after_in_child=lambda: _detach_fork(pipe))
    # torch is imported here, in the worker, so that the parent answers at once.
    from genbench.running.cell import run_cell
    from genbench.running.determinism import use_threads
    from genbench.running.prepare import ASKED, answer

    with suppress(OSError):  # the parent is gone, or this is a fork: nobody is there to be told
        while True:
            try:
                message: tuple[str, Any] | None = pipe.recv()
            except (EOFError, OSError):
                return
            if message is None:
                return
            kind, payload = message
            use_threads(threads)
            if kind == "stop":  # the run that it was for has ended
                continue
            if kind in ASKED:
                pipe.send(answer(ASKED[kind], payload))
                continue
            began = time.monotonic()
            pipe.send(Event(payload.spec.id, "started", 0, payload.spec.updates))
            state, reason = run_cell(payload, _PipeMessenger(pipe, payload))
            pipe.send(Event(
                payload.spec.id, "finished", payload.spec.updates, payload.spec.updates,
                state=state, reason=reason, seconds=time.monotonic() - began,
            ))


def _ignore_signals() -> None:
    """Ignore the signals that the parent handles.

    Python's handlers and no mask, for what a plug-in starts would inherit what is ignored or
    blocked, and could not be ended by whoever started it.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # terminals tell it to a whole group
    for number in _LEFT_TO_PARENT:
        signal.signal(number, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)


def _detach_fork(pipe: Connection) -> None:
    """In what a plug-in forks: close the run's pipe, and restore the default signals."""
    pipe.close()
    for number in _LEFT_TO_PARENT:
        signal.signal(number, signal.SIG_DFL)
