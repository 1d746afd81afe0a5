"""Density and coverage: precision and recall that are robust to outliers (Naeem et al., 2020,
arXiv:2002.09797).

Density is the mean number of data points' k-nearest-neighbour balls that contain a sample, over k
(it may exceed 1); coverage is the fraction of data points whose ball contains a sample. The
features of toy points are their coordinates.
"""

from genbench.evaluation.base import Evidence, Metric
from genbench.evaluation.metrics._neighbours import of_evidence
from genbench.evaluation.metrics._options import FeatureOptions
from genbench.fields import Count


class DensityCoverage(FeatureOptions, Metric):
    """Density and coverage by k-nearest-neighbour balls of the data in feature space."""

    values = {
        "density": {
            "better": "target", "target": "real from below", "tolerance": "0.02",
            "title": "density (k = {k})",
        },
        "coverage": {"better": "higher", "tolerance": "0.02", "title": "coverage (k = {k})"},
    }
    sampled = True
    expensive = (
        ({"data": "images", "samples": 5000},
         "distances between {samples:,} samples and as many rows, {sets} times"),
    )
    cite = "naeem2020reliable"

    k: Count = 5
    """The neighbour to which the balls reach."""

    def measure(self, evidence: Evidence, sample_set: int = 0) -> dict[str, float]:
        found = of_evidence(evidence, self.extractor, sample_set, self.k)
        return {"density": found.density, "coverage": found.coverage}

    def protocol(self, evidence: Evidence) -> str:
        return f"{evidence.label(self.extractor)}-k{self.k}"
