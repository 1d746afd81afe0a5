"""What is checked before any run starts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch

from genbench.errors import GenbenchError, PluginError, user_code
from genbench.running.build import component_class, devices_for, load_data
from genbench.running.executors.base import Job
from genbench.running.fetch import check_weights
from genbench.suites.spec import ComponentSpec, MetricSpec, RunSpec


def result_or_error(question: Callable[[Sequence[Job]], Any], jobs: Sequence[Job]) -> Any:
    """What it returns, or the GenbenchError that it raises, to be sent to another process."""
    try:
        return question(jobs)
    except GenbenchError as error:
        return error


def contents(jobs: Sequence[Job]) -> list[str]:
    """A hash of what the dataset of each run gave when it was loaded."""
    cpu = torch.device("cpu")
    return [
        load_data(job.spec, job.context.data, cpu, offline=job.context.offline).fingerprint
        for job in jobs
    ]


def prepare(jobs: Sequence[Job]) -> list[Job]:
    """Check that devices, data and plug-ins are there, and deal the jobs to the devices.

    Offline, also that the weights are there that the metrics need: they would be missed last.

    Raises:
        GenbenchError: what is missing, in one line.
    """
    dealt: list[Job] = []
    seen: set[str] = set()
    for number, job in enumerate(jobs):
        spec, context = job.spec, job.context
        devices = devices_for(context.device)
        device = devices[number % len(devices)]
        dealt.append(Job(spec, replace(context, device=device)))
        key = spec.data.model_dump_json()
        if key not in seen:
            seen.add(key)
            load_data(spec, context.data, torch.device(device), offline=context.offline)
        for kind, part in _plugins(spec):
            found = component_class(kind, part, spec.folder)
            if kind == "metric":  # made last, when all is trained
                with user_code(f"metric '{part.name}'", PluginError):
                    found(**part.options)
    if jobs and jobs[0].context.offline:
        check_weights([job.spec for job in jobs], jobs[0].context)
    return dealt


def _plugins(spec: RunSpec) -> list[tuple[str, ComponentSpec | MetricSpec]]:
    parts: list[tuple[str, ComponentSpec | MetricSpec]] = [
        ("model", spec.model), ("dataset", spec.data),
    ]
    parts += [("objective", term.objective) for stage in spec.stages for term in stage.terms]
    parts += [("metric", metric) for metric in spec.evaluate]
    return [(kind, part) for kind, part in parts if part.outside]


REQUESTS: Mapping[str, Callable[[Sequence[Job]], Any]] = {"prepare": prepare, "contents": contents}
"""What a worker is asked before any run."""
