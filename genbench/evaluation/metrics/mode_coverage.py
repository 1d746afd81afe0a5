"""Points: a sample is of high quality if its Mahalanobis distance to its nearest mode is within
the radius that holds 1 − e^(−9/2) = 0.989 of a Gaussian (3 σ in the plane, the root of that
quantile of χ²_D in D dimensions), so that this fraction of exact draws is. A mode is covered if
high-quality samples have at least 20 % of its true proportion (the count goes back to Metz et al.,
2017, arXiv:1611.02163). As the count saturates, the largest deviation of a mode's proportion among
all samples (by nearest mode) and KL(proportions ‖ truth) are given as well.

Images: the mode is the class by the classifier; a class is covered if it has at least 20 % of its
proportion of the training labels; of stacked images (1000 modes) one sample covers a mode, of
26,000, as in Srivastava et al., 2017, arXiv:1705.07761.
"""

import math

import numpy as np
import torch
from scipy.special import chdtri
from torch import Tensor

from genbench.data.base import Modes
from genbench.evaluation.base import Evidence, Metric, NotApplicable, count_name
from genbench.evaluation.extractors.classifier import stack_of
from genbench.evaluation.metrics._logits import relative_entropy
from genbench.fields import Natural, Positive, Share

_CHUNK = 2000
_POINTS, _STACKED = 10_000, 26_000


def _nearest_modes(points: Tensor, modes: Modes) -> tuple[Tensor, Tensor]:
    """The nearest mode of each of points (N, D) and the Mahalanobis distance, each (N,)."""
    precision = torch.linalg.inv(modes.covariances.double().cpu())  # (M, D, D)
    centres = modes.centres.double().cpu()
    found, distances = [], []
    for part in points.double().split(_CHUNK):
        offset = part[:, None] - centres  # (N, M, D)
        squared = torch.einsum("nmd,mde,nme->nm", offset, precision, offset)
        least = squared.min(1)
        found.append(least.indices)
        distances.append(least.values.clamp(min=0).sqrt())
    return torch.cat(found), torch.cat(distances)


def usual_radius(dims: int) -> float:
    """The Mahalanobis distance that 1 − e^(−9/2) of a Gaussian lies within: 3 in the plane."""
    return math.sqrt(chdtri(dims, math.exp(-4.5)))


def point_coverage(
    points: Tensor, modes: Modes, radius: float | None = None, share: float = 0.2
) -> dict[str, float]:
    """Modes covered, high-quality share, largest deviation and KL of points (N, D)."""
    radius = radius or usual_radius(points.shape[1])
    weights = modes.weights.double().cpu().numpy()
    mode, distance = _nearest_modes(points, modes)
    good = np.bincount(mode[distance <= radius].numpy(), minlength=len(weights))
    shares = np.bincount(mode.numpy(), minlength=len(weights)) / len(points)
    return {
        "modes_covered": float((good >= share * weights * len(points)).sum()),
        "high_quality": float(good.sum() / len(points)),
        "mode_deviation": float(np.abs(shares - weights).max()),
        "mode_kl": relative_entropy(shares, weights),
    }


class ModeCoverage(Metric):
    """Modes that the samples reach, and how evenly they reach them."""

    cite = "metz2017unrolled srivastava2017veegan"
    values = {
        "modes_covered": {"better": "higher", "unit": "modes", "title": "modes"},
        "high_quality": {
            "better": "target", "target": "0.989 from below", "tolerance": "0.02",
            "title": "high quality",
        },
        "mode_deviation": {"better": "lower", "tolerance": "0.02", "title": "mode deviation"},
        "mode_kl": {"better": "lower", "unit": "nats", "title": "KL of modes"},
    }
    needs = ("modes",)
    sampled = True

    samples: Natural = 0
    """Samples; 0 takes 10,000 points, 26,000 stacked images, the protocol's number of others."""
    radius: Positive | None = None
    """How near, in standard deviations, a high-quality point is to its mode. Null: the radius that
    holds 98.9 % of a Gaussian, 3 in the plane."""
    share: Share = 0.2
    """The part of its true share that covers a mode (stacked images: one sample)."""

    def measure(self, evidence: Evidence, sample_set: int = 0) -> dict[str, float]:
        """Images have no high-quality share."""
        n = self._count(evidence)
        if evidence.data.kind == "points":
            modes = evidence.data.truth and evidence.data.truth.modes
            if not modes:
                raise NotApplicable("the dataset has no modes")
            points = evidence.samples(sample_set, n)
            return point_coverage(points, modes, self.radius, self.share)
        shares = evidence.label_shares().numpy()
        if evidence.data.mode_count != len(shares):
            raise NotApplicable("the modes of the dataset are not its classes")
        labels = evidence.logits("classifier", sample_set, n).argmax(1)
        counts = np.bincount(labels, minlength=len(shares))
        least = 1.0 if stack_of(evidence.data) else self.share * shares * n
        return {
            "modes_covered": float((counts >= least).sum()),
            "mode_deviation": float(np.abs(counts / n - shares).max()),
            "mode_kl": relative_entropy(counts / n, shares),
        }

    def protocol(self, evidence: Evidence) -> str:
        n = self._count(evidence)
        if evidence.data.kind == "images":
            rule = "any" if stack_of(evidence.data) else f"{self.share:g}"
            return f"{evidence.label('classifier', '', n)}-share{rule}"
        radius = self.radius or usual_radius(evidence.data.shape[0])
        return f"{count_name(n)}-{radius:.4g}sigma-share{self.share:g}"

    def _count(self, evidence: Evidence) -> int:
        if self.samples:
            return self.samples
        if evidence.data.kind == "points":
            return evidence.at_most(_POINTS)
        return evidence.at_most(_STACKED) if stack_of(evidence.data) else evidence.count
