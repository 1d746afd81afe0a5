"""What is stored of a run: where it stands, and what its JSON files hold.

A file that was tampered with is found where it is read; what else it says is kept and not looked
at.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field
from pydantic.dataclasses import dataclass

from genbench.suites.spec import RunSpec

__all__ = ["FINAL", "STATES", "Metrics", "Provenance", "Record", "Status", "asked"]

STATES = ("queued", "running", "done", "diverged", "failed", "timed-out", "interrupted")
FINAL = ("done", "diverged")
"""States that are results: such a run is never run again."""
SafeCount = Annotated[int, Field(ge=0, lt=2**53)]
"""A count that any reader of JSON can hold."""


class _File(BaseModel):
    """An object of a file."""

    model_config = ConfigDict(extra="allow", strict=True)


class Provenance(_File):
    """provenance.json, and each of the earlier ones that it holds."""

    command: str = ""
    cpu: str = ""
    device: str = ""
    git: dict[str, Any] | None = None
    platform: str = ""
    threads: int = 0
    versions: dict[str, str] = {}
    earlier: list[Provenance] = []


class Measurement(_File):
    """One number, or the reason why there is none."""

    metric: str
    status: str
    value: float | None = None
    sampling_std: float | None = None
    better: str = "none"
    unit: str = ""
    title: str = ""
    protocol: str | None = ""
    reason: str | None = ""


class Budget(_File):
    """What a run cost."""

    updates: SafeCount = 0
    examples: SafeCount = 0
    seconds: float = 0.0
    device: str = ""
    parameters: SafeCount = 0
    log_det: float | None = None


class Asked(_File):
    """The settings that numbers were measured with."""

    evaluate: list[Any] = []
    protocol: dict[str, Any] = {}


class Metrics(_File):
    """metrics.json."""

    measurements: list[Measurement] = []
    budget: Budget = Budget()
    notes: list[str] = []
    asked: Asked | None = None


@dataclass(frozen=True, config=ConfigDict(strict=True))
class Status:
    """Where a run stands: its state, why, and how far it got (updates of the model, seconds)."""

    state: str = "queued"
    reason: str = ""
    update: SafeCount = 0
    updates: SafeCount = 0
    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0


class Record(NamedTuple):
    """What a run's folder says of it, read once."""

    status: Status
    """With the state that counts (`RunFolder.standing`)."""
    metrics: Mapping[str, Any]
    """As `RunFolder.metrics`; empty where the run is not finished."""

    def measured(self, spec: RunSpec) -> bool:
        """Whether the numbers are those that `spec` asks for (none, if the run diverged)."""
        if self.status.state == "diverged":
            return True
        was = self.metrics.get("asked")
        if was is None:  # numbers without their settings are taken at their word
            return bool(self.metrics.get("measurements"))
        return bool(was == asked(spec))


def asked(spec: RunSpec) -> dict[str, Any]:
    """What decides the numbers of a trained model: the metrics and the protocol."""
    metrics = [metric.settings for metric in spec.evaluate]
    return {"evaluate": metrics, "protocol": spec.protocol.model_dump(mode="json")}
