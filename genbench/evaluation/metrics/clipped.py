"""How much of the samples lies out of the images' range, and was clamped to it."""

from __future__ import annotations

from typing import ClassVar

from genbench.errors import NotApplicable
from genbench.evaluation._base import Metric
from genbench.evaluation.evidence import Evidence, count_name

__all__ = ["Clipped"]


class Clipped(Metric):
    """Share of the samples' values that lie out of range by more than a rounding."""

    values: ClassVar[dict[str, dict[str, str]]] = {
        "clipped": {"better": "lower", "unit": "", "title": "clipped"},
    }
    kinds: ClassVar[tuple[str, ...]] = ("images",)

    def measure(self, evidence: Evidence, sample_set: int = 0) -> dict[str, float]:
        """The share over all samples that were drawn, at least the protocol's number."""
        if evidence.model is None:
            raise NotApplicable("data are never clipped")
        evidence.samples()
        return {"clipped": evidence.clipped}

    def protocol(self, evidence: Evidence) -> str:
        """The least number of samples."""
        return count_name(evidence.count)
