"""The dimension of the set on which points lie, from the ratio r₂/r₁ of the distances of each to
its second and to its first neighbour (Facco et al., 2017, doi:10.1038/s41598-017-11873-y):

    d = N / Σ log(r₂/r₁)

whose standard error is d/√N. Where the density changes within the distance of two neighbours, as
on a set that is only nearly thin, it is the dimension at that scale.
"""

import numpy as np

from genbench.evaluation.base import Evidence, Metric, NotApplicable, count_name

_POINTS = 2000


def two_nearest(rows: np.ndarray) -> float:
    """d of points (N, D) of which no two are equal."""
    from scipy.spatial import cKDTree

    distances, _ = cKDTree(rows).query(rows, 3)  # itself, and two more
    first, second = distances[:, 1], distances[:, 2]
    if not first.all():
        raise NotApplicable("two samples are equal, whose distances have no ratio")
    return len(rows) / float(np.log(second / first).sum())


class IntrinsicDimension(Metric):
    """The dimension of the set on which the samples lie, by their two nearest neighbours."""

    cite = "facco2017estimating"
    values = {
        "intrinsic_dimension": {"better": "none", "title": "dimension of the samples"},
    }
    kinds = ("points",)
    sampled = True

    def measure(self, evidence: Evidence, sample_set: int = 0) -> dict[str, float]:
        rows = evidence.samples(sample_set, evidence.at_most(_POINTS)).double().numpy()
        return {"intrinsic_dimension": two_nearest(rows)}

    def protocol(self, evidence: Evidence) -> str:
        return f"{count_name(evidence.at_most(_POINTS))}-two-neighbours"
