"""Runs as a job array of a Slurm cluster, submitted through submitit.

The time limit is that of a job, not of a run: a job whose time is nearly up saves its run, is
queued again, and goes on where it was.
"""

from __future__ import annotations

import shutil
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from genbench.errors import GenbenchError
from genbench.running.executors.base import Job
from genbench.running.executors.cluster import Ending, Shared, do
from genbench.running.executors.mailbox import Messenger, Post
from genbench.store.runs import Store
from genbench.suites.cluster import Cluster

__all__ = ["Slurm"]

REQUEUES = 1000
"""How often a run may run into its time limit."""
GRACE = 90.0
"""Seconds before the limit at which a job is told; a fifth of a limit that is short."""
QUEUE_EVERY = 10.0
"""Seconds between two looks at Slurm's queue, for jobs that went without a word."""


class Slurm(Shared):
    """Every run is a job of an array; with `local` jobs are processes of this machine.

    Every node must see the results folder, the data and the same genbench.
    """

    def __init__(self, cluster: Cluster, *, local: bool = False) -> None:
        super().__init__()
        self.cluster, self.local = cluster, local
        self._jobs: dict[str, Any] = {}
        self._looked = time.monotonic()
        self._missed: set[str] = set()

    def prepare(self, jobs: Sequence[Job]) -> Sequence[Job]:
        """See Executor; data, plug-ins and devices are checked by each run where it is done.

        Raises:
            GenbenchError: no submitit, or no Slurm on this machine.
        """
        try:
            import submitit  # noqa: F401
        except ImportError:
            raise GenbenchError(
                "--executor slurm needs submitit: pip install 'genbench[slurm]'"
            ) from None
        if not self.local and shutil.which("sbatch") is None:
            raise GenbenchError(
                "--executor slurm: there is no sbatch here; run on a login node of the cluster"
            )
        wanted = self.cluster.gpus
        if wanted is not None and wanted != int(wanted):
            raise GenbenchError(f"--gpus {wanted:g}: Slurm gives whole GPUs")
        device = "auto" if wanted is None else "cuda" if wanted else "cpu"
        threads = self.cluster.cpus
        return [
            Job(job.spec, replace(job.context, threads=threads, device=(
                device if job.context.device == "auto" else job.context.device
            )))
            for job in jobs
        ]

    def submit(self, jobs: Sequence[Job], post: Post) -> None:
        """See Shared."""
        import submitit

        folder = Store(jobs[0].context.root).runs_folder / ".slurm"
        parameters = self._parameters(jobs)
        try:
            executor = submitit.AutoExecutor(
                folder, cluster="local" if self.local else "slurm", slurm_max_num_timeout=REQUEUES,
                local_max_num_timeout=REQUEUES,
            )
            executor.update_parameters(**parameters)
            array = executor.map_array(_Task(), jobs, [post.folder] * len(jobs))
        except (OSError, RuntimeError, ValueError, submitit.core.utils.FailedJobError) as error:
            raise GenbenchError(f"Slurm did not take the jobs: {_line(error)}") from None
        self._jobs = {job.spec.id: handle for job, handle in zip(jobs, array)}

    def _parameters(self, jobs: Sequence[Job]) -> dict[str, Any]:
        ask = self.cluster
        limit = ask.whole_minutes
        wanted: dict[str, Any] = {
            "name": f"genbench-{jobs[0].spec.suite}", "timeout_min": limit,
            "cpus_per_task": ask.cpus, "gpus_per_node": int(ask.gpus) if ask.gpus else None,
            "mem_gb": ask.memory, "slurm_partition": ask.partition,
            "slurm_account": ask.account, "slurm_signal_delay_s": int(min(GRACE, limit * 60 / 5)),
            "slurm_additional_parameters": {"requeue": True},
        }
        return {name: value for name, value in wanted.items() if value is not None}

    def endings(self, seconds: float) -> list[tuple[str, Ending]]:
        """See Shared."""
        time.sleep(seconds)
        ended = [run for run, job in self._jobs.items() if job.paths.result_pickle.exists()]
        found = [(run, _ending(self._jobs.pop(run))) for run in ended]
        return found + [(run, self._lost(self._jobs.pop(run))) for run in self._gone()]

    def _gone(self) -> list[str]:
        """The runs whose jobs are no longer in the queue, seen twice so."""
        if time.monotonic() - self._looked < QUEUE_EVERY or not self._jobs:
            return []
        self._looked = time.monotonic()
        alive = self._alive()
        if alive is None:
            return []
        missing = {run for run, job in self._jobs.items() if job.job_id not in alive}
        twice, self._missed = missing & self._missed, missing
        return sorted(twice)

    def _alive(self) -> set[str] | None:
        """Ids of the jobs that wait or run; None where that cannot be told now."""
        if self.local:
            return {job.job_id for job in self._jobs.values() if not job.done()}
        command = ["squeue", "--noheader", "--array", "--format=%i %F_%K", "--me"]
        try:
            out = subprocess.run(
                command, capture_output=True, text=True, check=True, timeout=60
            ).stdout
        except (OSError, subprocess.SubprocessError):
            return None
        return set(out.split())

    def _lost(self, job: Any) -> Ending:
        log = job.paths.stderr
        return Ending("failed", f"Slurm job {job.job_id} ended without a word; its log is {log}",
                      lost=True)

    def withdraw(self, run: str) -> None:
        """See Shared."""
        self._jobs.pop(run).cancel(check=False)

    def close(self) -> None:
        """See Executor; jobs that are left see that their post is gone, save and end."""
        self._jobs.clear()


class _Task:
    """What a job does: one run, in a thread, so that the main one is free for Slurm's signal."""

    def __init__(self) -> None:
        self.messenger: Messenger | None = None
        self.thread: threading.Thread | None = None

    def __call__(self, job: Job, folder: Path) -> Ending:
        self.messenger = Messenger(Post(folder), job)
        found: list[Ending] = []
        self.thread = threading.Thread(
            target=lambda: found.append(_on_this_node(job, self.messenger)), daemon=True
        )
        self.thread.start()
        while self.thread.is_alive():
            self.thread.join(0.1)  # in short waits: a signal is handled between two of them
        return found[0] if found else Ending("failed", "the run's thread died")

    def checkpoint(self, job: Job, folder: Path) -> Any:
        """Called by submitit when the time is nearly up: save, and be queued again."""
        from submitit.helpers import DelayedSubmission

        if self.messenger is not None and self.thread is not None:
            self.messenger.ending = True
            self.thread.join(GRACE / 2)
        return DelayedSubmission(_Task(), job, folder)


def _on_this_node(job: Job, messenger: Any) -> Ending:
    from genbench.running.determinism import use_threads
    from genbench.running.prepare import prepare

    use_threads(job.context.threads)
    try:
        [here] = prepare([job])
    except GenbenchError as error:
        return Ending("failed", str(error), lost=True)
    return do(here, messenger)


def _ending(job: Any) -> Ending:
    try:
        return job.result()
    except Exception as error:  # whatever went wrong in the job, or with its files
        return Ending("failed", f"Slurm job {job.job_id}: {_line(error)}", lost=True)


def _line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip(" -")]
    return lines[-1] if lines else type(error).__name__
