"""Runs as a job array of a Slurm cluster, submitted through submitit.

The time limit is that of a job, not of a run: a job whose time is nearly up saves its run, is
queued again, and goes on where it was.
"""

import math
import shutil
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from genbench.duration import minutes
from genbench.errors import GenbenchError
from genbench.fields import Count, Duration, Natural, Positive
from genbench.running.executors.base import Job
from genbench.running.executors.cluster import ClusterExecutor, Ending, check_and_do
from genbench.running.executors.mailbox import Mailbox, MailboxMessenger
from genbench.store.runs import Store

REQUEUES = 1000
"""How often a run may run into its time limit."""
GRACE = 90.0
"""Seconds before the limit at which a job is told; a fifth of a limit that is short."""
QUEUE_EVERY = 10.0
"""Seconds between two looks at Slurm's queue, for jobs that went without a word."""


class Slurm(ClusterExecutor):
    """Runs as jobs of a Slurm array.

    Every node must see the results folder, the data and the same genbench.
    """

    package: ClassVar[str] = "submitit"
    scheduler: ClassVar[str] = "slurm"
    """submitit's name of it; "local" runs the jobs as processes of this machine."""
    cpus: Count = 1
    """CPU cores of each run."""
    gpus: Natural | None = None
    """GPUs of each run (Ray: or a fraction of one); null takes one where there is any."""
    memory: Positive | None = None
    """GiB of memory of each run; null leaves it to the cluster."""
    partition: str | None = None
    """The partition; null is Slurm's default."""
    time: Duration = 60.0
    """The time limit of a job, in minutes or as HH:MM:SS or D-HH:MM:SS: a run that takes
    longer is saved, queued again, and goes on."""
    account: str | None = None
    """The account that is charged; null is Slurm's default."""

    def __init__(self, **options: object) -> None:
        super().__init__(**options)
        self._jobs: dict[str, Any] = {}
        self._looked = time.monotonic()
        self._missed: set[str] = set()

    @property
    def time_limit_minutes(self) -> int:
        """The time limit of a job, as Slurm counts it: in whole minutes."""
        return max(1, math.ceil(minutes(self.time) - 1e-9))

    def where(self, device: str) -> str:
        return "on Slurm"

    def prepare(self, jobs: Sequence[Job]) -> Sequence[Job]:
        """Data, plug-ins and devices are checked by each run where it is done.

        Raises:
            GenbenchError: no Slurm on this machine.
        """
        if self.scheduler == "slurm" and shutil.which("sbatch") is None:
            raise GenbenchError(
                "--executor slurm: there is no sbatch here; run on a login node of the cluster"
            )
        device = "auto" if self.gpus is None else "cuda" if self.gpus else "cpu"
        return [
            Job(job.spec, replace(job.context, threads=self.cpus, device=(
                device if job.context.device == "auto" else job.context.device
            )))
            for job in jobs
        ]

    def submit(self, jobs: Sequence[Job], mailbox: Mailbox) -> None:
        import submitit

        folder = Store(jobs[0].context.root).runs_folder / ".slurm"
        parameters = self._parameters(jobs)
        try:
            executor = submitit.AutoExecutor(
                folder, cluster=self.scheduler, slurm_max_num_timeout=REQUEUES,
                local_max_num_timeout=REQUEUES,
            )
            executor.update_parameters(**parameters)
            array = executor.map_array(_Task(), jobs, [mailbox.folder] * len(jobs))
        except (OSError, RuntimeError, ValueError, submitit.core.utils.FailedJobError) as error:
            raise GenbenchError(f"Slurm did not take the jobs: {_line(error)}") from None
        self._jobs = {job.spec.id: handle for job, handle in zip(jobs, array)}

    def _parameters(self, jobs: Sequence[Job]) -> dict[str, Any]:
        limit = self.time_limit_minutes
        wanted: dict[str, Any] = {
            "name": f"genbench-{jobs[0].spec.suite}", "timeout_min": limit,
            "cpus_per_task": self.cpus, "gpus_per_node": self.gpus or None,
            "mem_gb": self.memory, "slurm_partition": self.partition,
            "slurm_account": self.account, "slurm_signal_delay_s": int(min(GRACE, limit * 60 / 5)),
            "slurm_additional_parameters": {"requeue": True},
        }
        return {name: value for name, value in wanted.items() if value is not None}

    def endings(self, seconds: float) -> list[tuple[str, Ending]]:
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
        if self.scheduler == "local":
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
        self._jobs.pop(run).cancel(check=False)

    def close(self) -> None:
        """Jobs that are left see that their mailbox is gone, save and end."""
        self._jobs.clear()


class _Task:
    """What a job does: one run, in a thread, so that the main one is free for Slurm's signal."""

    def __init__(self) -> None:
        self.messenger: MailboxMessenger | None = None
        self.thread: threading.Thread | None = None

    def __call__(self, job: Job, folder: Path) -> Ending:
        self.messenger = MailboxMessenger(Mailbox(folder), job)
        found: list[Ending] = []
        self.thread = threading.Thread(
            target=lambda: found.append(check_and_do(job, folder, self.messenger)), daemon=True
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


def _ending(job: Any) -> Ending:
    try:
        return job.result()
    except Exception as error:  # whatever went wrong in the job, or with its files
        return Ending("failed", f"Slurm job {job.job_id}: {_line(error)}", lost=True)


def _line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip(" -")]
    return lines[-1] if lines else type(error).__name__
