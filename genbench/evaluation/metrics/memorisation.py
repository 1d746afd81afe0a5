"""Whether samples are copies of training rows, to which Inception Score and FID are blind.

The median distance of samples to their nearest training row, in feature space, is divided by that
of held-out rows: 1 for fresh draws, 0 for copies, above 1 for samples far from all data. Also the
fraction of samples nearer to a training row than 99 % of the held-out rows (after Meehan et al.,
2020, arXiv:2004.05675, who test the two sets of distances against each other).
"""

import numpy as np

from genbench.evaluation.base import Evidence, Metric, NotApplicable, count_name
from genbench.evaluation.metrics._neighbours import nearest
from genbench.evaluation.metrics._options import FeatureOptions
from genbench.fields import Natural


def copying(samples: np.ndarray, held_out: np.ndarray) -> tuple[float, float]:
    """Ratio of medians, and the fraction of samples below the held-out 1 % quantile.

    Both arguments are distances to the nearest training row, (N,) and (M,).
    """
    middle = float(np.median(held_out))
    if middle == 0:
        raise NotApplicable("most held-out rows are training rows as well")
    close = float((samples < np.quantile(held_out, 0.01)).mean())
    return float(np.median(samples)) / middle, close


class Memorisation(FeatureOptions, Metric):
    """Distances of samples to their nearest training rows, against those of held-out rows."""

    values = {
        "nn_distance_ratio": {"better": "none", "title": "NN distance ratio"},
        "nn_close_share": {
            "better": "target", "target": "0.01 from above", "tolerance": "0.02",
            "title": "near copies",
        },
    }
    sampled = True
    expensive = (
        ({"data": "images", "samples": 5000},
         "distances between {samples:,} samples and all training rows, {sets} times"),
    )
    cite = "meehan2020copying"

    train: Natural = 0
    """Training rows that are searched, a fixed random choice; 0 searches all."""

    def measure(self, evidence: Evidence, sample_set: int = 0) -> dict[str, float]:
        if evidence.data.train is None:
            raise NotApplicable("training points are fresh in every batch: none can be copied")
        if evidence.real:
            raise NotApplicable("the real row's samples are training rows themselves")
        searched = min(self.train or len(evidence.data.train), len(evidence.data.train))
        n = evidence.count
        train = evidence.reference_features(self.extractor, "train", searched)

        def held_out() -> dict[str, np.ndarray]:
            rows = evidence.reference_features(self.extractor, n=n)
            return {"near": nearest(rows, train, evidence.device)}

        contents = evidence.contents("train", searched)
        known = evidence.of_reference(f"near {contents}", held_out, self.extractor, n=n)
        samples = nearest(
            evidence.features(self.extractor, sample_set), train, evidence.device
        )
        ratio, close = copying(samples, known["near"])
        return {"nn_distance_ratio": ratio, "nn_close_share": close}

    def protocol(self, evidence: Evidence) -> str:
        searched = count_name(self.train) if self.train else "all"
        return f"{evidence.label(self.extractor)}-train{searched}"
