"""Runs as a job array of a Slurm cluster, submitted through submitit.

The time limit is that of a job, not of a run: a job near its limit saves a checkpoint, is
requeued, and resumes.
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
from genbench.running.executors.cluster import ClusterExecutor, ExitStatus, prepare_and_run
from genbench.running.executors.mailbox import Mailbox, MailboxMessenger
from genbench.store.runs import Store

MAX_REQUEUES = 1000
"""How often a run may be requeued at its time limit."""
CHECKPOINT_MARGIN = 90.0
"""Seconds before the time limit at which Slurm signals a job; a fifth of a shorter limit."""
QUEUE_POLL_INTERVAL = 10.0
"""Seconds between polls of Slurm's queue, for jobs that died without a result."""


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
        self._last_poll = time.monotonic()
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
                folder, cluster=self.scheduler, slurm_max_num_timeout=MAX_REQUEUES,
                local_max_num_timeout=MAX_REQUEUES,
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
            "slurm_account": self.account,
            "slurm_signal_delay_s": int(min(CHECKPOINT_MARGIN, limit * 60 / 5)),
            "slurm_additional_parameters": {"requeue": True},
        }
        return {name: value for name, value in wanted.items() if value is not None}

    def poll(self, seconds: float) -> list[tuple[str, ExitStatus]]:
        time.sleep(seconds)
        ended = [run for run, job in self._jobs.items() if job.paths.result_pickle.exists()]
        found = [(run, _exit_status(self._jobs.pop(run))) for run in ended]
        died = self._missing_runs()
        return found + [(run, self._missing_exit_status(self._jobs.pop(run))) for run in died]

    def _missing_runs(self) -> list[str]:
        """The runs whose jobs are no longer in the queue, at two polls in a row."""
        if time.monotonic() - self._last_poll < QUEUE_POLL_INTERVAL or not self._jobs:
            return []
        self._last_poll = time.monotonic()
        alive = self._alive()
        if alive is None:
            return []
        missing = {run for run, job in self._jobs.items() if job.job_id not in alive}
        twice, self._missed = missing & self._missed, missing
        return sorted(twice)

    def _alive(self) -> set[str] | None:
        """Ids of the jobs that are queued or running; None where squeue fails."""
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

    def _missing_exit_status(self, job: Any) -> ExitStatus:
        log = job.paths.stderr
        reason = f"Slurm job {job.job_id} ended without a result; its log is {log}"
        return ExitStatus("failed", reason, unrecorded=True)

    def cancel(self, run: str) -> None:
        self._jobs.pop(run).cancel(check=False)

    def close(self) -> None:
        """Jobs that are left see that their mailbox is gone, save and end."""
        self._jobs.clear()


class _Task:
    """A job's callable: one run, in a thread, so that the main thread can handle signals."""

    def __init__(self) -> None:
        self.messenger: MailboxMessenger | None = None
        self.thread: threading.Thread | None = None

    def __call__(self, job: Job, folder: Path) -> ExitStatus:
        self.messenger = MailboxMessenger(Mailbox(folder), job)
        found: list[ExitStatus] = []
        self.thread = threading.Thread(
            target=lambda: found.append(prepare_and_run(job, folder, self.messenger)), daemon=True
        )
        self.thread.start()
        while self.thread.is_alive():
            self.thread.join(0.1)  # short waits: signals are handled between them
        return found[0] if found else ExitStatus("failed", "the run's thread died")

    def checkpoint(self, job: Job, folder: Path) -> Any:
        """Called by submitit near the time limit: save a checkpoint and requeue."""
        from submitit.helpers import DelayedSubmission

        if self.messenger is not None and self.thread is not None:
            self.messenger.preempted = True
            self.thread.join(CHECKPOINT_MARGIN / 2)
        return DelayedSubmission(_Task(), job, folder)


def _exit_status(job: Any) -> ExitStatus:
    try:
        return job.result()
    except Exception as error:  # of the job, or of reading its result files
        return ExitStatus("failed", f"Slurm job {job.job_id}: {_line(error)}", unrecorded=True)


def _line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip(" -")]
    return lines[-1] if lines else type(error).__name__
