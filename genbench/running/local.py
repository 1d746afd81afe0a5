"""Worker processes on this machine: N on the CPU, or one or several a GPU.

On Linux they are forked from a server that loads torch once for all of them; it never trains and
starts neither threads nor CUDA. Elsewhere, where a fork is less safe, and where the server has no
place for its socket, each loads it anew.
"""

from __future__ import annotations

import multiprocessing
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from genbench.errors import GenbenchError
from genbench.running.executor import NOT_STARTED, Event, Executor, Job, late, timed_out
from genbench.running.worker import work
from genbench.store.runs import Status, Store

__all__ = ["Local"]

FORKS = sys.platform == "linux"
LOADED = ("__main__", "genbench.running.cell", "genbench.running.preparation", "torch._dynamo")
"""What the server of the workers imports; the last is what torch's optimisers import at first."""
SERVERS = 3
"""Attempts to start a worker, where its server was killed."""


@dataclass
class _Worker:
    process: BaseProcess
    pipe: Connection
    job: Job | None = None
    evaluating: bool = False
    stopping: bool = False
    since: float = 0.0

    @property
    def late(self) -> bool:
        """Whether its run has taken longer than it may."""
        return self.job is not None and late(self.job, self.since)


class Local(Executor):
    """`workers` processes, each with `threads` threads, spawned once and used again and again."""

    def __init__(self, workers: int, threads: int) -> None:
        self.count, self.threads = workers, threads
        self._forks = FORKS and _served()
        self._context = (
            multiprocessing.get_context("forkserver") if self._forks
            else multiprocessing.get_context("spawn")
        )
        self._stopping = False
        self._workers: list[_Worker] = []

    def prepare(self, jobs: Sequence[Job]) -> Sequence[Job]:
        """See Executor; the first worker does the checks, and keeps what it loaded."""
        worker = self._spawn()
        worker.pipe.send(("prepare", list(jobs)))
        try:
            answer: Any = worker.pipe.recv()
        except (EOFError, OSError):
            worker.process.join()
            raise GenbenchError(
                f"the first worker {_fate(worker.process.exitcode)} while it loaded the data"
            ) from None
        if isinstance(answer, GenbenchError):
            raise answer
        return list(answer)

    def run(self, jobs: Sequence[Job]) -> Iterator[Event]:
        """See Executor."""
        waiting = list(reversed(jobs))
        while len(self._workers) < min(self.count, len(jobs)):
            self._spawn()
        while True:
            if self._stopping:
                yield from self._let_go()
            for worker in self._living():
                if worker.job is None and waiting and not self._stopping:
                    worker.job, worker.evaluating = waiting.pop(), False
                    worker.since = time.monotonic()
                    worker.pipe.send(("run", worker.job))
            busy = [worker for worker in self._workers if worker.job is not None]
            if not busy:
                break
            yield from self._listen(busy)
            for worker in [w for w in self._workers if w.late]:
                yield self._time_out(worker)
        for job in reversed(waiting):
            yield Event(job.spec.id, "finished", state="interrupted", reason=NOT_STARTED)

    def _listen(self, busy: list[_Worker]) -> Iterator[Event]:
        by_pipe = {worker.pipe: worker for worker in busy}
        for pipe in wait(list(by_pipe), timeout=0.5):
            worker = by_pipe[pipe]  # type: ignore[index]
            try:
                event = worker.pipe.recv()
            except (EOFError, OSError):
                yield self._bury(worker)
                continue
            worker.evaluating = event.kind == "evaluating"
            if event.kind == "finished":
                worker.job = None
            yield event

    def _living(self) -> list[_Worker]:
        """The workers, those that died while idle replaced."""
        for worker in [w for w in self._workers if w.job is None and not w.process.is_alive()]:
            self._workers.remove(worker)
            self._spawn()
        return list(self._workers)

    def _let_go(self) -> Iterator[Event]:
        """Have runs save and stop; end those that evaluate: what they trained is saved already."""
        for worker in self._workers:
            if worker.job is not None and not worker.stopping:
                worker.stopping = True
                with suppress(OSError):
                    worker.pipe.send(("stop", None))
        for worker in [w for w in self._workers if w.job is not None and w.evaluating]:
            worker.process.terminate()
            worker.process.join()
            self._workers.remove(worker)
            assert worker.job is not None
            yield Event(worker.job.spec.id, "finished", state="interrupted")

    def _time_out(self, worker: _Worker) -> Event:
        """End a worker whose run has taken too long; what it saved stays."""
        worker.process.kill()
        job = worker.job
        assert job is not None
        return self._replace(worker, "timed-out", timed_out(job))

    def _bury(self, worker: _Worker) -> Event:
        """A worker that died takes one run with it."""
        worker.process.join()
        return self._replace(
            worker, "failed", f"the worker process {_fate(worker.process.exitcode)}"
        )

    def _replace(self, worker: _Worker, state: str, reason: str) -> Event:
        """Another takes the place of a worker that is gone; its run is recorded so."""
        worker.process.join()
        self._workers.remove(worker)
        self._spawn()
        job = worker.job
        assert job is not None
        Store(job.context.root).run(job.spec.id).write_status(Status(state, reason))
        return Event(job.spec.id, "finished", state=state, reason=reason)

    def _spawn(self) -> _Worker:
        ours, theirs = self._context.Pipe()
        process = self._started(theirs)
        theirs.close()
        worker = _Worker(process, ours)
        self._workers.append(worker)
        return worker

    def _started(self, pipe: Connection) -> BaseProcess:
        for attempt in range(SERVERS):
            time.sleep(attempt)  # a server that was killed takes a moment to be gone
            process = self._context.Process(
                target=work, args=(pipe, self.threads), daemon=True
            )
            with suppress(EOFError, OSError):
                if not self._forks or _served():
                    process.start()
                    return process
        raise GenbenchError("worker processes cannot be started; is there memory left?")

    def stop(self) -> None:
        """See Executor; safe to call from a signal handler."""
        self._stopping = True

    def close(self) -> None:
        """Idle workers leave by themselves; the others are ended."""
        for worker in self._workers:
            if worker.job is None:
                with suppress(OSError):
                    worker.pipe.send(None)
            else:
                worker.process.terminate()
        for worker in self._workers:
            worker.process.join(timeout=5)
            if worker.process.is_alive():
                worker.process.kill()
        self._workers.clear()


def _served() -> bool:
    """Whether there is the server that workers are forked from; starts it where it is not.

    Ctrl-C is not for it. It needs a socket below TMPDIR, and there may be no room for one, or its
    path be longer than a socket's may be.
    """
    multiprocessing.set_forkserver_preload(list(LOADED))
    resource_tracker.ensure_running()  # the server needs it, and its start ends every mask
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        forkserver.ensure_running()
    except OSError:
        return False
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return True


def _fate(exitcode: int | None) -> str:
    if exitcode is not None and exitcode < 0:
        hint = " (out of memory?)" if exitcode == -9 else ""
        return f"was killed by signal {-exitcode}{hint}"
    return f"ended with exit code {exitcode}"
