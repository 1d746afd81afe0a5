"""The schemas of a run's JSON files, and its status.

Malformed files are detected on reading; unknown fields are kept and ignored.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, with_config
from pydantic.dataclasses import dataclass
from typing_extensions import TypedDict

from genbench.store.measurement import Measurement, Number
from genbench.suites.former import metrics_today
from genbench.suites.spec import RunSpec

STATES = ("queued", "running", "done", "diverged", "failed", "timed-out", "interrupted")
FINAL = ("done", "diverged")
"""States that are results: such a run is never run again."""
SafeCount = Annotated[int, Field(ge=0, lt=2**53)]
"""A count that any reader of JSON can hold."""
_loose = with_config(ConfigDict(extra="allow", strict=True))


@_loose
class _Provenance(TypedDict, total=False):
    command: str
    cpu: str
    device: str
    git: dict[str, Any] | None
    platform: str
    threads: int
    claims: list[str]
    switches: list[str]
    data: str
    versions: dict[str, str]
    earlier: list[_Provenance]


@_loose
class _Trained(TypedDict, total=False):
    updates: SafeCount
    examples: SafeCount
    seconds: Number
    device: str
    parameters: SafeCount
    log_det: Number | None


@_loose
class _Asked(TypedDict, total=False):
    evaluate: list[Any]
    protocol: dict[str, Any]


class _Shared:
    """One object for the equal ones of a suite's runs: a report holds thousands of records."""

    def __init__(self) -> None:
        self._last: _Asked | None = None

    def __call__(self, value: _Asked | None) -> _Asked | None:
        if value != self._last:
            self._last = value
        return self._last


@_loose
class _Metrics(TypedDict, total=False):
    measurements: list[Measurement]
    budget: _Trained
    notes: list[str]
    asked: Annotated[_Asked | None, AfterValidator(_Shared())]


@dataclass(frozen=True, config=ConfigDict(strict=True))
class Status:
    """A run's state, the reason for it, and its progress (updates of the model, seconds)."""

    state: str = "queued"
    reason: str = ""
    update: SafeCount = 0
    updates: SafeCount = 0
    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0


@_loose
class _File(TypedDict):
    bytes: SafeCount
    sha256: str


@_loose
class _Sums(TypedDict):
    files: dict[str, _File]


def _shape(kind: Any) -> TypeAdapter[dict[str, Any]]:
    return TypeAdapter(kind)


STATUS = TypeAdapter(Status)
"""status.json."""
PROVENANCE = _shape(_Provenance)
"""provenance.json, and each of the earlier ones that it holds."""
METRICS = _shape(_Metrics)
"""metrics.json."""
SUMS = _shape(_Sums)
"""checksums.json."""


class Record(NamedTuple):
    """What a run's folder says of it, read once."""

    status: Status
    """With the state that counts (`RunFolder.effective_status`)."""
    metrics: Mapping[str, Any]
    """As `RunFolder.metrics`; empty where the run is not finished."""

    @property
    def failures(self) -> dict[str, list[str]]:
        """Why metrics of a finished run failed → what they measure."""
        found: dict[str, list[str]] = {}
        for one in self.metrics.get("measurements", ()):
            if one.status == "failed":
                found.setdefault(one.reason, []).append(one.metric)
        return found

    def measured(self, spec: RunSpec) -> bool:
        """Whether the numbers are those that `spec` asks for (none, if the run diverged).

        One that failed is not: memory, a full disk or weights that are missing may be there now.
        """
        if self.status.state == "diverged":
            return True
        if self.failures:
            return False
        was = self.metrics.get("asked")
        if was is None:  # stored without settings: assumed to be current
            return bool(self.metrics.get("measurements"))
        now = asked(spec)
        return bool(was == now or {
            **was, "evaluate": metrics_today(was.get("evaluate", []))
        } == {**now, "evaluate": metrics_today(now["evaluate"])})


def asked(spec: RunSpec) -> dict[str, Any]:
    """What decides the numbers of a trained model: the metrics and the protocol."""
    metrics = [metric.settings for metric in spec.evaluate]
    return {"evaluate": metrics, "protocol": spec.protocol.settings}
