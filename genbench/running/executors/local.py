"""Worker processes on this machine: N on the CPU, or one or several a GPU.

On Linux they are forked from a server that loads torch once for all of them; it never trains and
starts neither threads nor CUDA. On other systems, where fork is less safe, and where the server
cannot create its socket, workers are spawned and each imports torch.
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
    cores,
    exceeds_time_limit,
    final_event,
    timeout_reason,
)
from genbench.running.executors.local_worker import STOP_SIGNALS, work
from genbench.running.executors.process import EXIT_TIMEOUT, Process

CAN_FORK = sys.platform == "linux"
PRELOADED = ("genbench.running.cell", "genbench.running.prepare", "torch._dynamo")
"""Modules that the fork server imports; torch's optimisers import the last one on first use."""
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
LOCK_TIMEOUT = 1.0
"""Timeout for a run's lock, which reading a run's status takes for a moment."""
SERVER_ATTEMPTS = 3
"""Attempts to start a worker when the fork server was killed."""


@dataclass
class _Worker:
    process: Process
    pipe: Connection
    job: Job | None = None
    evaluating: bool = False
    single_use: bool = False
    """Ran code from outside the package, which may have changed global state: not reused."""
    stopping: bool = False
    since: float = 0.0

    @property
    def waitables(self) -> list[Connection | int]:
        """What `wait` accepts: ready when the worker has sent something or exited."""
        return [self.pipe, self.process.sentinel]

    @property
    def exceeds_time_limit(self) -> bool:
        """Whether its run has exceeded the time limit."""
        return self.job is not None and exceeds_time_limit(self.job, self.since)

    def send(self, what: Any) -> None:
        """Send a message; one to a worker that has exited is dropped (`receive` notices)."""
        with suppress(OSError):
            self.pipe.send(what)

    def receive(self) -> Any:
        """The next message; None if it exited (even if a child of its keeps the pipe open)."""
        try:
            return self.pipe.recv() if self.pipe.poll() else None
        except (EOFError, OSError):
            return None

    def terminate(self) -> None:
        """Kill the process if it is alive, and close its handles."""
        self.process.kill()
        self.process.close()
        self.pipe.close()


class Local(Executor):
    """A pool of worker processes on this machine.

    A run with code from outside the package gets a fresh process.
    """

    workers: Count | None = None
    """Worker processes; null takes one a core, and on a GPU one."""
    threads: Count = 1
    """CPU threads of each run; other numbers give other bits."""

    def __init__(self, **options: object) -> None:
        super().__init__(**options)
        for library in _THREAD_VARIABLES:  # NumPy's BLAS reads its variable on import
            os.environ[library] = str(self.threads)
        self._forks = CAN_FORK and _start_fork_server()
        self._context = (
            multiprocessing.get_context("forkserver") if self._forks
            else multiprocessing.get_context("spawn")
        )
        self._stopping, self._limit = False, 1
        self._workers: list[_Worker] = []
        self._exiting: list[_Worker] = []

    def where(self, device: str) -> str:
        count = self._count(device)
        return "1 process" if count == 1 else f"{count} processes"

    def _count(self, device: str) -> int:
        """The number of workers: one per core on the CPU, one on a GPU."""
        on_cpu = device in ("cpu", "auto")
        return self.workers or (max(1, cores() // self.threads) if on_cpu else 1)

    def prepare(self, jobs: Sequence[Job]) -> Sequence[Job]:
        """The first worker does the checks, and keeps what it loaded of ours."""
        self._limit = self._count(jobs[0].context.device)
        return list(self._request("prepare", jobs))

    def contents(self, jobs: Sequence[Job]) -> list[str]:
        """Hashes of the datasets of these runs, which a worker loads.

        Raises:
            GenbenchError: data that cannot be loaded.
        """
        return list(self._request("contents", jobs))

    def _request(self, what: str, jobs: Sequence[Job]) -> Any:
        worker = self._spawn()
        worker.send((what, list(jobs)))
        wait(worker.waitables)
        answer = worker.receive()
        if answer is None:
            how = worker.process.exit_text
            raise GenbenchError(f"the first worker {how} while it loaded the data")
        worker.single_use = any(job.spec.outside for job in jobs)
        if isinstance(answer, GenbenchError):
            raise answer
        return answer

    def run(self, jobs: Sequence[Job]) -> Iterator[Event]:
        waiting = list(reversed(jobs))
        while True:
            if self._stopping:
                yield from self._stop_runs()
            for worker in self._ready_workers(len(waiting)):
                if worker.job is None and waiting and not self._stopping:
                    worker.job, worker.evaluating = waiting.pop(), False
                    worker.since = time.monotonic()
                    worker.send(("run", worker.job))
            busy = [worker for worker in self._workers if worker.job is not None]
            if not busy:
                break
            yield from self._receive_events(busy)
            for worker in [w for w in self._workers if w.exceeds_time_limit]:
                yield self._time_out(worker)
        for job in reversed(waiting):
            yield Event(job.spec.id, "finished", state="interrupted", reason=NOT_STARTED)

    def _receive_events(self, busy: list[_Worker]) -> Iterator[Event]:
        by_waitable = {waitable: worker for worker in busy for waitable in worker.waitables}
        ready = [by_waitable[waitable] for waitable in wait(list(by_waitable), timeout=0.5)]  # type: ignore[index]
        for worker in {id(worker): worker for worker in ready}.values():
            event = worker.receive()
            if event is None:
                exit_text = f"the worker process {worker.process.exit_text}"
                yield self._conclude(worker, "failed", exit_text)
                continue
            worker.evaluating = event.kind == "evaluating"
            if event.kind == "finished":
                assert worker.job is not None
                worker.single_use, worker.job = worker.job.spec.outside, None
            yield event

    def _ready_workers(self, waiting: int) -> list[_Worker]:
        """All workers, after replacing single-use and dead ones while there is work."""
        for worker in [w for w in self._workers if w.job is None]:
            if worker.single_use or not worker.process.alive:
                self._dismiss(worker)
        self._reap_exited()
        busy = sum(worker.job is not None for worker in self._workers)
        wanted = 0 if self._stopping else min(self._limit, busy + waiting)
        while len(self._workers) < wanted:
            self._spawn()
        return list(self._workers)

    def _stop_runs(self) -> Iterator[Event]:
        """Request that runs save and stop; kill those in evaluation, whose checkpoint is saved."""
        for worker in self._workers:
            if worker.job is not None and not worker.stopping:
                worker.stopping = True
                worker.send(("stop", None))
        for worker in [w for w in self._workers if w.job is not None and w.evaluating]:
            yield self._conclude(worker, "interrupted", "")

    def _time_out(self, worker: _Worker) -> Event:
        """Kill a worker whose run exceeded the time limit; its checkpoint remains."""
        assert worker.job is not None
        return self._conclude(worker, "timed-out", timeout_reason(worker.job))

    def _conclude(self, worker: _Worker, state: str, reason: str) -> Event:
        """Kill the worker and record its run's state, under the lock that the exit released."""
        worker.terminate()
        self._workers.remove(worker)
        assert worker.job is not None
        return final_event(worker.job, state, reason, LOCK_TIMEOUT)

    def _dismiss(self, worker: _Worker) -> None:
        """Request that an idle worker exits."""
        worker.send(None)
        worker.since = time.monotonic()
        self._workers.remove(worker)
        self._exiting.append(worker)

    def _reap_exited(self) -> None:
        """Close workers that exited; kill those that a thread keeps alive after the timeout."""
        now = time.monotonic()
        still_exiting = [
            w for w in self._exiting if w.process.alive and now - w.since < EXIT_TIMEOUT
        ]
        for worker in [w for w in self._exiting if w not in still_exiting]:
            worker.terminate()
        self._exiting = still_exiting

    def _spawn(self) -> _Worker:
        ours, theirs = self._context.Pipe()
        process = self._start_process(theirs)
        theirs.close()
        worker = _Worker(process, ours)
        self._workers.append(worker)
        return worker

    def _start_process(self, pipe: Connection) -> Process:
        for attempt in range(SERVER_ATTEMPTS):
            time.sleep(attempt)  # a killed server takes a moment to exit
            # not a daemon: daemons cannot have child processes, which a plug-in may start
            process = self._context.Process(target=work, args=(pipe, self.threads))
            with suppress(EOFError, OSError), _without_main():
                if not self._forks or _start_fork_server():
                    process.start()
                    return Process(process)
        raise GenbenchError("worker processes cannot be started; is there memory left?")

    def stop(self) -> None:
        """Safe to call from a signal handler."""
        self._stopping = True

    def close(self) -> None:
        """Idle workers exit by themselves; the others are killed."""
        for worker in list(self._workers):
            if worker.job is not None:
                worker.process.kill()
            self._dismiss(worker)
        while self._exiting:
            self._reap_exited()
            time.sleep(0.02)


@contextmanager
def _without_main() -> Iterator[None]:
    """Start workers without importing the calling script, which would start workers again."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _start_fork_server() -> bool:
    """Start the fork server unless it is running; returns whether it is.

    It blocks STOP_SIGNALS, which reach the whole process group. It needs a socket below TMPDIR:
    the disk may be full, or the path longer than a socket's path may be.
    """
    multiprocessing.set_forkserver_preload(list(PRELOADED))
    resource_tracker.ensure_running()  # the server needs it, and its start resets signal masks
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        forkserver.ensure_running()
    except OSError:
        return False
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return True
