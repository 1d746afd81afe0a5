"""How much of the samples lies out of the images' range, and was clamped to it."""

from genbench.evaluation.base import Evidence, Metric, NotApplicable, count_name


class Clipped(Metric):
    """Share of the samples' values that lie out of range by more than a rounding."""

    values = {"clipped": {"better": "lower", "tolerance": "0.02", "title": "clipped"}}
    kinds = ("images",)
    version = 2

    def measure(self, evidence: Evidence, sample_set: int = 0) -> dict[str, float]:
        """Over the first sample set."""
        if evidence.model is None:
            raise NotApplicable("data are never clipped")
        return {"clipped": evidence.clipped(evidence.count)}

    def protocol(self, evidence: Evidence) -> str:
        return count_name(evidence.count)
