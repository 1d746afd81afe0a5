"""What the JSON files of a run hold, so that one that was tampered with is found where it is read.

What else a file says is kept and not looked at.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Metrics", "Provenance", "SafeCount"]

SafeCount = Annotated[int, Field(ge=0, lt=2**53)]
"""A count that any reader of JSON can hold."""


class Record(BaseModel):
    """An object of a file."""

    model_config = ConfigDict(extra="allow", strict=True)


class Provenance(Record):
    """provenance.json, and each of the earlier ones that it holds."""

    command: str = ""
    cpu: str = ""
    device: str = ""
    git: dict[str, Any] | None = None
    platform: str = ""
    threads: int = 0
    versions: dict[str, str] = {}
    earlier: list[Provenance] = []


class Measurement(Record):
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


class Budget(Record):
    """What a run cost."""

    updates: SafeCount = 0
    examples: SafeCount = 0
    seconds: float = 0.0
    device: str = ""
    parameters: SafeCount = 0
    log_det: float | None = None


class Asked(Record):
    """The settings that numbers were measured with."""

    evaluate: list[Any] = []
    protocol: dict[str, Any] = {}


class Metrics(Record):
    """metrics.json."""

    measurements: list[Measurement] = []
    budget: Budget = Budget()
    notes: list[str] = []
    asked: Asked | None = None
