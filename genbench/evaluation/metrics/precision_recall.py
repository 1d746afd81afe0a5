"""Improved precision and recall: the fraction of samples on the estimated data manifold, and of
data on that of the samples (Kynkäänniemi et al., 2019, arXiv:1904.06991).

The manifold of a set is the union of its points' k-nearest-neighbour balls. The features of toy
points are their coordinates.
"""

from genbench.evaluation.base import Evidence, Metric
from genbench.evaluation.metrics._neighbours import of_evidence
from genbench.evaluation.metrics._options import FeatureOptions
from genbench.fields import Count


class PrecisionRecall(FeatureOptions, Metric):
    """Precision and recall by k-nearest-neighbour balls in feature space."""

    values = {
        "precision": {
            "better": "target", "target": "real from below", "tolerance": "0.02",
            "title": "precision (k = {k})",
        },
        "recall": {"better": "higher", "tolerance": "0.02", "title": "recall (k = {k})"},
    }
    sampled = True
    expensive = (
        ({"data": "images", "samples": 5000},
         "distances between {samples:,} samples and as many rows, {sets} times"),
    )
    cite = "kynkaanniemi2019improved"

    k: Count = 3
    """The neighbour to which the balls reach."""

    def measure(self, evidence: Evidence, sample_set: int = 0) -> dict[str, float]:
        found = of_evidence(evidence, self.extractor, sample_set, self.k)
        return {"precision": found.precision, "recall": found.recall}

    def protocol(self, evidence: Evidence) -> str:
        return f"{evidence.label(self.extractor)}-k{self.k}"
