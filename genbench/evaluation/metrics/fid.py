"""Fréchet distance between Gaussians fitted to features (Heusel et al., 2017, arXiv:1706.08500).

    ‖m₁ − m₂‖² + tr(S₁ + S₂ − 2 (S₁S₂)^{1/2}),  with N − 1 in the covariances

float64 throughout. The trace of the root is the sum of the roots of the eigenvalues of LᵀS₁L with
S₂ = LLᵀ; with fewer rows than features it is the nuclear norm of the product of the centred rows.
The bias depends on the number of samples, which is part of the protocol.
"""

from collections.abc import Mapping

import numpy as np

from genbench.evaluation.base import Evidence, Metric, NotApplicable
from genbench.evaluation.metrics._options import FeatureOptions
from genbench.fields import Literal

_CHUNK = 2000
Stats = Mapping[str, np.ndarray]


def moments(features: np.ndarray, *, root: bool = False) -> dict[str, np.ndarray]:
    """Mean (d,) and covariance (d, d) with N − 1 of features (N, d), float64.

    With `root`, also the Cholesky factor of the covariance, or its symmetric square root where it
    is singular (d, d).
    """
    n = len(features)
    if n < 2:
        raise NotApplicable(f"a covariance takes at least 2 samples, not {n}")
    mean = features.mean(0, dtype=np.float64)
    covariance = np.zeros((features.shape[1],) * 2)
    for first in range(0, n, _CHUNK):
        part = features[first:first + _CHUNK] - mean  # float64; bᵀb is one syrk
        covariance += part.T @ part
    covariance /= n - 1
    known = {"mean": mean, "covariance": covariance}
    return {**known, "root": _root(covariance)} if root else known


def _root(covariance: np.ndarray) -> np.ndarray:
    try:
        return np.linalg.cholesky(covariance)
    except np.linalg.LinAlgError:
        values, vectors = np.linalg.eigh(covariance)
        return (vectors * np.sqrt(values.clip(0))) @ vectors.T


def frechet_distance(a: Stats, b: Stats) -> float:
    """Fréchet distance between Gaussians; only `b` needs its root."""
    root = b["root"]
    product = root.T @ a["covariance"] @ root
    values = np.linalg.eigvalsh((product + product.T) / 2)
    overlap = float(np.sqrt(values.clip(0)).sum())
    return _distance(a["mean"] - b["mean"], np.trace(a["covariance"]),
                     np.trace(b["covariance"]), overlap)


def rows_distance(x: np.ndarray, y: np.ndarray) -> float:
    """The same distance straight from features (n, d), (m, d); fast where n or m is below d."""
    factors, means = [], []
    for rows in (x, y):
        if len(rows) < 2:
            raise NotApplicable(f"a covariance takes at least 2 samples, not {len(rows)}")
        mean = rows.mean(0, dtype=np.float64)
        means.append(mean)
        factors.append((rows - mean) / np.sqrt(len(rows) - 1))
    overlap = float(np.linalg.svd(factors[0] @ factors[1].T, compute_uv=False).sum())
    first, second = (float((factor**2).sum()) for factor in factors)
    return _distance(means[0] - means[1], first, second, overlap)


def _distance(shift: np.ndarray, first: float, second: float, overlap: float) -> float:
    found = float(shift @ shift + first + second - 2 * overlap)
    return 0.0 if found < 0 else found  # a rounding below; NaN stays


class Fid(FeatureOptions, Metric):
    """Fréchet distance of features between samples and as many reference images."""

    values = {"fid": {"better": "lower", "title": "FID"}}
    kinds = ("images",)
    sampled = True
    cite = "heusel2017gans"

    split: Literal["test", "train"] = "test"
    """The reference; train for the customary 50k of CIFAR-10."""

    def measure(self, evidence: Evidence, sample_set: int = 0) -> dict[str, float]:
        if self.split == "train" and evidence.real:
            raise NotApplicable("the real row's samples are training rows themselves")
        n = evidence.count_for(self.split)
        x = evidence.features(self.extractor, sample_set, n)

        def reference() -> np.ndarray:
            return evidence.reference_features(self.extractor, self.split, n)

        if n <= x.shape[1]:
            return {"fid": rows_distance(x, reference())}
        known = evidence.of_reference(
            "moments", lambda: moments(reference(), root=True), self.extractor, self.split, n
        )
        return {"fid": frechet_distance(moments(x), known)}

    def protocol(self, evidence: Evidence) -> str:
        return evidence.label(self.extractor, self.split)
