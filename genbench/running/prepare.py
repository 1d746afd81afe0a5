"""Checks before any run starts: devices, data, plug-ins and weights."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch

from genbench.errors import GenbenchError, PluginError, user_code
from genbench.running.build import component_class, devices_for, load_data
from genbench.running.executors.base import Job
from genbench.running.fetch import check_weights
from genbench.suites.spec import ComponentSpec, MetricSpec, RunSpec


def result_or_error(function: Callable[[Sequence[Job]], Any], jobs: Sequence[Job]) -> Any:
    """The function's result, or the GenbenchError that it raised: to send to another process."""
    try:
        return function(jobs)
    except GenbenchError as error:
        return error


def contents(jobs: Sequence[Job]) -> list[str]:
    """The fingerprint of each run's dataset, as loaded."""
    cpu = torch.device("cpu")
    return [
        load_data(job.spec, job.context.data, cpu, offline=job.context.offline).fingerprint
        for job in jobs
    ]


def prepare(jobs: Sequence[Job]) -> list[Job]:
    """Check that devices, data and plug-ins are there, and assign the jobs to devices.

    Offline, also check the weights that metrics need, which are first used after training.

    Raises:
        GenbenchError: what is missing, in one line.
    """
    assigned: list[Job] = []
    seen: set[str] = set()
    for number, job in enumerate(jobs):
        spec, context = job.spec, job.context
        devices = devices_for(context.device)
        device = devices[number % len(devices)]
        assigned.append(Job(spec, replace(context, device=device)))
        key = spec.data.model_dump_json()
        if key not in seen:
            seen.add(key)
            load_data(spec, context.data, torch.device(device), offline=context.offline)
        for kind, part in _plugins(spec):
            found = component_class(kind, part, spec.folder)
            if kind == "metric":  # constructed after training otherwise
                with user_code(f"metric '{part.name}'", PluginError):
                    found(**part.options)
    if jobs and jobs[0].context.offline:
        check_weights([job.spec for job in jobs], jobs[0].context)
    return assigned


def _plugins(spec: RunSpec) -> list[tuple[str, ComponentSpec | MetricSpec]]:
    parts: list[tuple[str, ComponentSpec | MetricSpec]] = [
        ("model", spec.model), ("dataset", spec.data),
    ]
    parts += [("objective", term.objective) for stage in spec.stages for term in stage.terms]
    parts += [("metric", metric) for metric in spec.evaluate]
    return [(kind, part) for kind, part in parts if part.outside]


REQUESTS: Mapping[str, Callable[[Sequence[Job]], Any]] = {"prepare": prepare, "contents": contents}
"""Requests that a worker serves before any run."""
