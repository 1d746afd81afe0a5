"""Runs as tasks of a Ray cluster: a running one, or a local one started for them.

Moritz et al. (OSDI 2018), arXiv:1712.05889
"""

import logging
import os
import socket
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from genbench.errors import DeviceError, GenbenchError
from genbench.fields import Count, NonNegative, Positive
from genbench.running.executors.base import Job
from genbench.running.executors.cluster import ClusterExecutor, ExitStatus, execute_job
from genbench.running.executors.mailbox import Mailbox, MailboxMessenger

_TOKEN = Path("~/.ray/auth_token")
RETRIES = 3
"""Retries of a run whose node or process died; it resumes from its checkpoint."""


class Ray(ClusterExecutor):
    """Runs as tasks of a Ray cluster, scheduled where CPUs, GPUs and memory are free.

    Every node must see the results, the data and the same genbench.
    """

    package: ClassVar[str] = "ray"
    cite: ClassVar[str] = "moritz2018ray"
    cpus: Count = 1
    """CPU cores of each run."""
    gpus: NonNegative | None = None
    """GPUs of each run (Ray: or a fraction of one); null takes one where there is any."""
    memory: Positive | None = None
    """GiB of memory of each run; null leaves it to the cluster."""
    ray_address: str | None = None
    """HOST:PORT of a running head, or auto for the cluster of this machine; null takes RAY_ADDRESS
    of the environment, or starts a cluster of this machine alone."""

    def __init__(self, **options: object) -> None:
        super().__init__(**options)
        self._ray: Any = None
        self._tasks: dict[Any, str] = {}

    def where(self, device: str) -> str:
        return "on Ray"

    def prepare(self, jobs: Sequence[Job]) -> Sequence[Job]:
        """The checks are done on a node of the cluster."""
        self._connect()
        device = jobs[0].context.device if jobs else "cpu"
        need = self._resources(device)
        # a run with code from outside the package gets a fresh process (max_calls=1)
        self._remote, self._single_use = (
            self._ray.remote(max_calls=calls)(_run).options(max_retries=RETRIES, **need)
            for calls in (0, 1)
        )
        threads = self.cpus
        device = "cuda:0" if need["num_gpus"] else "cpu"
        given = [
            Job(job.spec, replace(job.context, device=device, threads=threads)) for job in jobs
        ]
        return self._result(self._ray.remote(_prepare).options(**need).remote(given))

    def _connect(self) -> None:
        address = self.ray_address or os.environ.get("RAY_ADDRESS") or "local"
        if address != "local" and _TOKEN.expanduser().exists():
            # a head that has this token requires it, and Ray sends it only in this mode
            os.environ.setdefault("RAY_AUTH_MODE", "token")
        # else Ray prints the log of a lost node to our terminal; the run's reason is one line
        os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", "^")
        import ray

        if address not in ("local", "auto"):
            _check_reachable(address)
        own: dict[str, Any] = {"include_dashboard": False} if address == "local" else {}
        try:
            ray.init(address, log_to_driver=False, logging_level=logging.ERROR, **own)
        except (ConnectionError, RuntimeError, ValueError, OSError) as error:
            raise GenbenchError(
                f"cannot join the Ray cluster at {address}: {_line(error)}; give --ray-address "
                "HOST:PORT of a running head (`ray start --head` prints it)"
            ) from None
        self._ray = ray

    def _resources(self, device: str) -> dict[str, Any]:
        """The resources that each task requests, checked against those of the nodes."""
        nodes = [node["Resources"] for node in self._ray.nodes() if node["Alive"]]
        gpus = self.gpus
        most = max((node.get("GPU", 0.0) for node in nodes), default=0.0)
        if gpus is None:
            gpus = 0.0 if device == "cpu" or (device == "auto" and not most) else 1.0
        if device == "cpu" and gpus:
            raise DeviceError(f"--gpus {gpus:g} and --device cpu go against each other")
        if gpus > most:
            raise DeviceError(
                f"no node of the Ray cluster has {gpus:g} GPUs (at most {most:g}); give --gpus, "
                "or --device cpu"
            )
        cores = max((node.get("CPU", 0.0) for node in nodes), default=0.0)
        if self.cpus > cores:
            raise DeviceError(
                f"no node of the Ray cluster has {self.cpus} CPUs (at most {cores:g}); "
                "give --cpus"
            )
        need: dict[str, Any] = {"num_cpus": self.cpus, "num_gpus": gpus}
        if self.memory is not None:
            need["memory"] = int(self.memory * 2**30)
        return need

    def _result(self, task: Any) -> list[Job]:
        try:
            answer = self._ray.get(task)
        except self._ray.exceptions.RayError as error:
            raise GenbenchError(f"the Ray cluster could not prepare: {_line(error)}") from None
        if isinstance(answer, GenbenchError):
            raise answer
        return list(answer)

    def submit(self, jobs: Sequence[Job], mailbox: Mailbox) -> None:
        self._tasks = {
            (self._single_use if job.spec.outside else self._remote).remote(job, mailbox.folder):
            job.spec.id for job in jobs
        }

    def poll(self, seconds: float) -> list[tuple[str, ExitStatus]]:
        ready, _ = self._ray.wait(list(self._tasks), timeout=seconds)
        return [(self._tasks.pop(task), self._exit_status(task)) for task in ready]

    def _exit_status(self, task: Any) -> ExitStatus:
        errors = self._ray.exceptions
        try:
            return self._ray.get(task)
        except errors.TaskCancelledError:
            return ExitStatus("interrupted")
        except errors.RayError as error:
            return ExitStatus("failed", f"lost by Ray: {_line(error)}", unrecorded=True)

    def cancel(self, run: str) -> None:
        for task in [task for task, name in self._tasks.items() if name == run]:
            del self._tasks[task]
            self._ray.cancel(task, force=True)

    def close(self) -> None:
        if self._ray is not None:
            self._ray.shutdown()


def _check_reachable(address: str) -> None:
    """Fail fast if nothing listens there; ray.init retries for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=5).close()
    except (OSError, ValueError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise GenbenchError(
            f"no Ray head answers at {address} ({reason}); give --ray-address HOST:PORT, as "
            "`ray start --head` prints it"
        ) from None


def _run(job: Job, folder: Any) -> ExitStatus:
    """The remote task: one run."""
    return execute_job(job, MailboxMessenger(Mailbox(folder), job))


def _prepare(jobs: Sequence[Job]) -> Any:
    """The first remote task: check data, plug-ins and devices."""
    from genbench.running.determinism import use_threads
    from genbench.running.prepare import prepare, result_or_error

    use_threads(jobs[0].context.threads)
    return result_or_error(prepare, jobs)


def _line(error: Exception) -> str:
    """The first line of an error's message."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
