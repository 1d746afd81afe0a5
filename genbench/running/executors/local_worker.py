"""The main loop of a worker process: one job after another, until its pipe closes."""

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
"""Signals that reach the whole process group; the parent handles them for all workers."""
_PARENT_SIGNALS = (signal.SIGTERM, signal.SIGHUP)
PROGRESS_INTERVAL = 0.2
"""Seconds between progress events of a run."""


class _PipeMessenger:
    """Sends a run's progress through a pipe."""

    def __init__(self, pipe: Connection, job: Job) -> None:
        self.pipe = pipe
        self.run, self.updates = job.spec.id, job.spec.updates
        self.last_sent = 0.0

    def progress(self, update: int, losses: Mapping[str, float]) -> None:
        now = time.monotonic()
        if now - self.last_sent > PROGRESS_INTERVAL:
            self.last_sent = now
            with suppress(OSError):  # the parent exited: `stopping` is True, and the run saves
                self.pipe.send(Event(self.run, "progress", update, self.updates, dict(losses)))

    def evaluating(self, step: str = "", fraction: float = 0.0) -> None:
        event = Event(
            self.run, "evaluating", self.updates, self.updates, step=step, fraction=fraction
        )
        try:
            self.pipe.send(event)
        except OSError:
            # the parent exited and the checkpoint is saved: an exception would be recorded as a
            # failure of the metric that is being computed
            os._exit(1)

    def stopping(self) -> bool:
        # a busy worker is sent nothing but "stop", or the pipe closes
        return self.pipe.poll()


def work(pipe: Connection, threads: int) -> None:
    """Serve messages from `pipe`: ("prepare" or "contents", jobs), ("run", job); None to exit.

    The parent handles STOP_SIGNALS, which reach it with the process group, and sends
    ("stop", None), on which a run saves and stops.
    """
    _ignore_signals()
    # a daemon exits with its parent; without the flag a user's data loader may start processes
    multiprocessing.current_process()._config["daemon"] = False  # type: ignore[attr-defined]
    os.register_at_fork(after_in_child=lambda: _detach_fork(pipe))
    # torch is imported here, in the worker, so that the parent starts fast
    from genbench.running.cell import run_cell
    from genbench.running.determinism import use_threads
    from genbench.running.prepare import REQUESTS, result_or_error

    with suppress(OSError):  # the parent exited, or this is a fork whose pipe is closed
        while True:
            try:
                message: tuple[str, Any] | None = pipe.recv()
            except (EOFError, OSError):
                return
            if message is None:
                return
            kind, payload = message
            use_threads(threads)
            if kind == "stop":  # arrived after the run had finished
                continue
            if kind in REQUESTS:
                pipe.send(result_or_error(REQUESTS[kind], payload))
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

    By Python handlers, not SIG_IGN or a mask, which child processes of a plug-in would inherit:
    they could not be terminated.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # terminals send it to the whole group
    for number in _PARENT_SIGNALS:
        signal.signal(number, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)


def _detach_fork(pipe: Connection) -> None:
    """In a child that a plug-in forks: close the run's pipe and restore default signal handlers.
    """
    pipe.close()
    for number in _PARENT_SIGNALS:
        signal.signal(number, signal.SIG_DFL)
