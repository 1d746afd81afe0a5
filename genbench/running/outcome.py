"""How a session ended."""

from __future__ import annotations

from dataclasses import dataclass, field

from genbench.store.runs import Record


@dataclass
class Outcome:
    """The result of a session: the runs by state."""

    states: dict[str, list[str]] = field(default_factory=dict)
    unmeasured: list[str] = field(default_factory=list)
    """The finished runs with a failed metric."""
    stopped: bool = False
    records: dict[str, Record] = field(default_factory=dict)
    """The records of the runs, if all were finished before the session."""

    expired: bool = False
    """Whether its time was up before all was done."""

    def join(self, other: Outcome) -> None:
        """Add what came after it."""
        for state, runs in other.states.items():
            self.states.setdefault(state, []).extend(runs)
        self.unmeasured += other.unmeasured
        self.records |= other.records
        self.stopped, self.expired = other.stopped, other.expired

    def add(self, run: str, state: str) -> None:
        """Count a run."""
        self.states.setdefault(state, []).append(run)

    @property
    def exit_code(self) -> int:
        """0 when every run has its result, 3 when runs or metrics failed, 130 when stopped
        or out of time."""
        if self.stopped or self.expired:
            return 130
        return 3 if self.failed or self.unmeasured else 0

    @property
    def failed(self) -> list[str]:
        """The runs without a result, which the next session retries."""
        return [*self.states.get("failed", []), *self.states.get("timed-out", [])]
