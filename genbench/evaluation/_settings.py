"""What all metrics of a run share."""

from __future__ import annotations

from dataclasses import dataclass, replace

__all__ = ["LIMIT", "Settings", "count_name"]

LIMIT = 10_000
"""Samples where the protocol names no number."""


@dataclass(frozen=True)
class Settings:
    """Samples (None: as many as the reference has, at most 10,000) and independent sample sets."""

    samples: int | None = None
    sets: int = 3

    def with_rows(self, rows: int, reference: int) -> Settings:
        """The same with no more sets than `rows` samples give, one at least."""
        wanted = min(self.samples or LIMIT, reference)
        return replace(self, sets=max(1, min(self.sets, rows // wanted)))


def count_name(n: int) -> str:
    """A count as protocols write it: 500, 10k."""
    return f"{n // 1000}k" if n >= 1000 and n % 1000 == 0 else str(n)
