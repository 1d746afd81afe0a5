"""What is checked before any run starts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch

from genbench.errors import GenbenchError
from genbench.running.build import component_class, devices_for, load_data
from genbench.running.executor import Job
from genbench.running.supplies import check_weights
from genbench.suites.spec import RunSpec

__all__ = ["prepare", "prepared"]


def prepared(jobs: Sequence[Job]) -> list[Job] | GenbenchError:
    """What `prepare` returns or raises, to be sent to another process."""
    try:
        return prepare(jobs)
    except GenbenchError as error:
        return error


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
            component_class(kind, part, spec.folder)
    if jobs and jobs[0].context.offline:
        check_weights([job.spec for job in jobs], jobs[0].context)
    return dealt


def _plugins(spec: RunSpec) -> list[tuple[str, Any]]:
    parts: list[tuple[str, Any]] = [("model", spec.model), ("dataset", spec.data)]
    parts += [("objective", term.objective) for stage in spec.stages for term in stage.terms]
    parts += [("metric", metric) for metric in spec.evaluate]
    return [(kind, part) for kind, part in parts if ":" in part.name]
