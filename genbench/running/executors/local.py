"""Worker processes on this machine: N on the CPU, or one or several a GPU.

On Linux they are forked from a server that loads torch once for all of them; it never trains and
starts neither threads nor CUDA. Elsewhere, where a fork is less safe, and where the server has no
place for its socket, each loads it anew.
"""

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import Connection, wait
from types import ModuleType
from typing import Any

from genbench.errors import GenbenchError
from genbench.fields import Count
from genbench.running.executors.base import (
    NOT_STARTED,
    Event,
    Executor,
    Job,
    concluded,
    cores,
    over_time,
    timed_out,
)
from genbench.running.executors.local_worker import STOP_SIGNALS, work
from genbench.running.executors.process import PATIENCE, Process

FORKS = sys.platform == "linux"
LOADED = ("genbench.running.cell", "genbench.running.prepare", "torch._dynamo")
"""What the server of the workers imports; the last is what torch's optimisers import at first."""
_POOLS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
GLANCE = 1.0
"""Seconds that a run's lock is waited for: whoever asks how it stands has it for a moment."""
SERVERS = 3
"""Attempts to start a worker, where its server was killed."""


@dataclass
class _Worker:
    process: Process
    pipe: Connection
    job: Job | None = None
    evaluating: bool = False
    spent: bool = False
    """Whether it ran code from outside the package, which may have changed anything in it."""
    stopping: bool = False
    since: float = 0.0

    @property
    def signs(self) -> list[Connection | int]:
        """What is ready when it says something, or is gone."""
        return [self.pipe, self.process.end]

    @property
    def over_time(self) -> bool:
        """Whether its run has taken longer than it may."""
        return self.job is not None and over_time(self.job, self.since)

    def tell(self, what: Any) -> None:
        """Send it something; one that is gone is noticed by its silence."""
        with suppress(OSError):
            self.pipe.send(what)

    def word(self) -> Any:
        """What it said, or None: it is gone, even where what it forked holds the pipe open."""
        try:
            return self.pipe.recv() if self.pipe.poll() else None
        except (EOFError, OSError):
            return None

    def end(self) -> None:
        """End it where it goes on, and let go of it."""
        self.process.kill()
        self.process.close()
        self.pipe.close()


class Local(Executor):
    """Worker processes on this machine, used again and again.

    A run that brings code from outside the package has a process of its own.
    """

    workers: Count | None = None
    """Worker processes; null takes one a core, and on a GPU one."""
    threads: Count = 1
    """CPU threads of each run; other numbers give other bits."""

    def __init__(self, **options: object) -> None:
        super().__init__(**options)
        for library in _POOLS:  # NumPy's reads it when it is loaded
            os.environ[library] = str(self.threads)
        self._forks = FORKS and _served()
        self._context = (
            multiprocessing.get_context("forkserver") if self._forks
            else multiprocessing.get_context("spawn")
        )
        self._stopping, self._limit = False, 1
        self._workers: list[_Worker] = []
        self._leaving: list[_Worker] = []

    def where(self, device: str) -> str:
        count = self._count(device)
        return "1 process" if count == 1 else f"{count} processes"

    def _count(self, device: str) -> int:
        """The workers that there are; on a GPU one process does one run at a time."""
        on_cpu = device in ("cpu", "auto")
        return self.workers or (max(1, cores() // self.threads) if on_cpu else 1)

    def prepare(self, jobs: Sequence[Job]) -> Sequence[Job]:
        """The first worker does the checks, and keeps what it loaded of ours."""
        self._limit = self._count(jobs[0].context.device)
        return list(self._ask("prepare", jobs))

    def contents(self, jobs: Sequence[Job]) -> list[str]:
        """What the data of these runs hold, as hashes: they are loaded, by a worker.

        Raises:
            GenbenchError: data that cannot be loaded.
        """
        return list(self._ask("contents", jobs))

    def _ask(self, what: str, jobs: Sequence[Job]) -> Any:
        worker = self._spawn()
        worker.tell((what, list(jobs)))
        wait(worker.signs)
        answer = worker.word()
        if answer is None:
            how = worker.process.exit_text
            raise GenbenchError(f"the first worker {how} while it loaded the data")
        worker.spent = any(job.spec.outside for job in jobs)
        if isinstance(answer, GenbenchError):
            raise answer
        return answer

    def run(self, jobs: Sequence[Job]) -> Iterator[Event]:
        waiting = list(reversed(jobs))
        while True:
            if self._stopping:
                yield from self._stop_runs()
            for worker in self._ready(len(waiting)):
                if worker.job is None and waiting and not self._stopping:
                    worker.job, worker.evaluating = waiting.pop(), False
                    worker.since = time.monotonic()
                    worker.tell(("run", worker.job))
            busy = [worker for worker in self._workers if worker.job is not None]
            if not busy:
                break
            yield from self._listen(busy)
            for worker in [w for w in self._workers if w.over_time]:
                yield self._time_out(worker)
        for job in reversed(waiting):
            yield Event(job.spec.id, "finished", state="interrupted", reason=NOT_STARTED)

    def _listen(self, busy: list[_Worker]) -> Iterator[Event]:
        by_sign = {sign: worker for worker in busy for sign in worker.signs}
        heard = [by_sign[sign] for sign in wait(list(by_sign), timeout=0.5)]  # type: ignore[index]
        for worker in {id(worker): worker for worker in heard}.values():
            event = worker.word()
            if event is None:
                exit_text = f"the worker process {worker.process.exit_text}"
                yield self._conclude(worker, "failed", exit_text)
                continue
            worker.evaluating = event.kind == "evaluating"
            if event.kind == "finished":
                assert worker.job is not None
                worker.spent, worker.job = worker.job.spec.outside, None
            yield event

    def _ready(self, waiting: int) -> list[_Worker]:
        """The workers; for those that are spent, or died idle, there are others if there is work.
        """
        for worker in [w for w in self._workers if w.job is None]:
            if worker.spent or not worker.process.alive:
                self._dismiss(worker)
        self._reap()
        busy = sum(worker.job is not None for worker in self._workers)
        wanted = 0 if self._stopping else min(self._limit, busy + waiting)
        while len(self._workers) < wanted:
            self._spawn()
        return list(self._workers)

    def _stop_runs(self) -> Iterator[Event]:
        """Have runs save and stop; kill those that evaluate, whose training is saved already."""
        for worker in self._workers:
            if worker.job is not None and not worker.stopping:
                worker.stopping = True
                worker.tell(("stop", None))
        for worker in [w for w in self._workers if w.job is not None and w.evaluating]:
            yield self._conclude(worker, "interrupted", "")

    def _time_out(self, worker: _Worker) -> Event:
        """End a worker whose run has taken too long; what it saved stays."""
        assert worker.job is not None
        return self._conclude(worker, "timed-out", timed_out(worker.job))

    def _conclude(self, worker: _Worker, state: str, reason: str) -> Event:
        """End a run with its worker; it is recorded under the lock that the worker let go of."""
        worker.end()
        self._workers.remove(worker)
        assert worker.job is not None
        return concluded(worker.job, state, reason, GLANCE)

    def _dismiss(self, worker: _Worker) -> None:
        """Tell an idle worker to leave."""
        worker.tell(None)
        worker.since = time.monotonic()
        self._workers.remove(worker)
        self._leaving.append(worker)

    def _reap(self) -> None:
        """Close the workers that exited, and kill those that do not: a thread keeps them."""
        now = time.monotonic()
        staying = [w for w in self._leaving if w.process.alive and now - w.since < PATIENCE]
        for worker in [w for w in self._leaving if w not in staying]:
            worker.end()
        self._leaving = staying

    def _spawn(self) -> _Worker:
        ours, theirs = self._context.Pipe()
        process = self._started(theirs)
        theirs.close()
        worker = _Worker(process, ours)
        self._workers.append(worker)
        return worker

    def _started(self, pipe: Connection) -> Process:
        for attempt in range(SERVERS):
            time.sleep(attempt)  # a server that was killed takes a moment to be gone
            # no daemon, which could have no processes of its own: a plug-in may want some
            process = self._context.Process(target=work, args=(pipe, self.threads))
            with suppress(EOFError, OSError), _without_main():
                if not self._forks or _served():
                    process.start()
                    return Process(process)
        raise GenbenchError("worker processes cannot be started; is there memory left?")

    def stop(self) -> None:
        """Safe to call from a signal handler."""
        self._stopping = True

    def close(self) -> None:
        """Idle workers leave by themselves; the others are ended."""
        for worker in list(self._workers):
            if worker.job is not None:
                worker.process.kill()
            self._dismiss(worker)
        while self._leaving:
            self._reap()
            time.sleep(0.02)


@contextmanager
def _without_main() -> Iterator[None]:
    """Within, workers start without the script that asks for them: it would ask again."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _served() -> bool:
    """Whether there is the server that workers are forked from; starts it where it is not.

    STOP_SIGNALS, which reach a whole process group, are not for it. It needs a socket below
    TMPDIR, and there may be no room for one, or its path be longer than a socket's may be.
    """
    multiprocessing.set_forkserver_preload(list(LOADED))
    resource_tracker.ensure_running()  # the server needs it, and its start ends every mask
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        forkserver.ensure_running()
    except OSError:
        return False
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return True
