"""Kernel distance: the squared MMD of features under the kernel (xᵀy / d + 1)³, unbiased.

Bińkowski et al., Demystifying MMD GANs, 2018, https://arxiv.org/abs/1801.01401. `kid` is the exact
estimate over all samples; `kid_subsets` the customary mean over random subsets, drawn as
torch-fidelity draws them, for comparison with published numbers. Negative values are legal.

With few features the kernel sums are inner products of moment tensors, linear in the number of
samples; with many they are summed block by block.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np

from genbench.errors import NotApplicable
from genbench.evaluation._base import Metric
from genbench.evaluation.evidence import Evidence
from genbench.fields import Count, Natural

__all__ = ["Kid", "kid", "kid_subsets", "terms"]

BLOCK = 500
FEW = 64
"""Features up to which moment tensors are the faster way."""
SEED = 2020


def kid(x: np.ndarray, y: np.ndarray, known: Mapping[str, np.ndarray] | None = None) -> float:
    """The unbiased squared MMD between features (n, d) and (m, d), float32.

    `known` are the `terms` of y where they are at hand.
    """
    mine, known = terms(x), terms(y) if known is None else known
    if "first" in mine:
        cross = _inner(mine, known)
    else:
        cross = _blockwise(x, y)
    return float(mine["within"] + known["within"]) - 2 * cross / (len(x) * len(y))


def terms(x: np.ndarray) -> dict[str, np.ndarray]:
    """What of the estimate depends on one side alone.

    `within`, the mean kernel of pairs of different rows; with few features also the moment
    tensors `count`, `first`, `second` and `third`.
    """
    if x.shape[1] > FEW:
        return {"within": np.array(_within(x, _blockwise(x, x)))}
    tensors = _tensors(x)
    return {"within": np.array(_within(x, _inner(tensors, tensors))), **tensors}


def _within(x: np.ndarray, total: float) -> float:
    n, d = x.shape
    if n < 2:
        raise NotApplicable(f"an unbiased estimate takes at least 2 samples, not {n}")
    norms = np.einsum("nd,nd->n", x, x, dtype=np.float64)
    return (total - float(((norms / d + 1) ** 3).sum())) / (n * (n - 1))


def _tensors(x: np.ndarray) -> dict[str, np.ndarray]:
    """Sums over rows of 1, x, x⊗x and x⊗x⊗x, float64.

    Of the symmetric first pair of axes only i ≤ j is kept, with √2 where i < j, so that plain
    inner products are those of the whole tensors.
    """
    d = x.shape[1]
    rows, columns = np.triu_indices(d)
    scale = np.where(rows == columns, 1.0, np.sqrt(2.0))
    first, second, third = np.zeros(d), np.zeros(len(rows)), np.zeros((len(rows), d))
    for start in range(0, len(x), BLOCK):
        part = x[start:start + BLOCK].astype(np.float64)
        pairs = part[:, rows] * scale  # (b, d(d+1)/2)
        pairs *= part[:, columns]
        first += part.sum(0)
        second += pairs.sum(0)
        third += pairs.T @ part
    return {"count": np.array(float(len(x))), "first": first, "second": second, "third": third}


def _inner(a: Mapping[str, np.ndarray], b: Mapping[str, np.ndarray]) -> float:
    """Σᵢⱼ (xᵢᵀyⱼ / d + 1)³ from both sides' tensors."""
    d = len(a["first"])
    powers = [float((a[name] * b[name]).sum()) for name in ("count", "first", "second", "third")]
    return sum(w * p / d**i for i, (w, p) in enumerate(zip((1, 3, 3, 1), powers, strict=True)))


def _blockwise(x: np.ndarray, y: np.ndarray) -> float:
    """The same sum from blocks of the kernel matrix; half of them where x is y."""
    same, d, total = x is y, x.shape[1], 0.0
    for i in range(0, len(x), BLOCK):
        for j in range(i if same else 0, len(y), BLOCK):
            kernel = x[i:i + BLOCK] @ y[j:j + BLOCK].T
            kernel /= d
            kernel += 1
            cube = kernel * kernel
            cube *= kernel
            part = float(cube.sum(dtype=np.float64))
            total += part if not same or i == j else 2 * part
    return total


def kid_subsets(x: np.ndarray, y: np.ndarray, subsets: int, size: int) -> float:
    """The mean estimate over random subsets, with torch-fidelity's stream of random numbers."""
    if not subsets:
        raise NotApplicable("no subsets were asked for (subsets)")
    if min(len(x), len(y)) < size:
        raise NotApplicable(
            f"{min(len(x), len(y))} samples are fewer than a subset of {size} (subset_size)"
        )
    rng = np.random.RandomState(SEED)
    total = 0.0
    for _ in range(subsets):
        a = x[rng.choice(len(x), size, replace=False)]
        b = y[rng.choice(len(y), size, replace=False)]
        total += _within(a, _blockwise(a, a)) + _within(b, _blockwise(b, b))
        total -= 2 * _blockwise(a, b) / size**2
    return total / subsets


class Kid(Metric):
    """Unbiased kernel distance of features between samples and as many reference images."""

    values: ClassVar[dict[str, dict[str, str]]] = {
        "kid": {
            "better": "lower", "tolerance": "0.001", "unit": "", "title": "KID",
        },
        "kid_subsets": {
            "better": "lower", "tolerance": "0.001", "unit": "", "title": "KID (subsets)",
        },
    }
    kinds: ClassVar[tuple[str, ...]] = ("images",)
    sampled: ClassVar[bool] = True
    cite: ClassVar[str] = """@inproceedings{binkowski2018demystifying,
  title = {Demystifying {MMD} {GAN}s},
  author = {Bi{\\'n}kowski, Miko{\\l}aj and Sutherland, Danica J. and Arbel, Michael and Gretton, Arthur},
  booktitle = {International Conference on Learning Representations},
  year = {2018},
  url = {https://arxiv.org/abs/1801.01401},
}"""  # noqa: E501

    extractor: Literal["auto", "classifier", "inception"] = "auto"
    """The network whose features are used; auto takes the classifier for labelled grey images."""
    subsets: Natural = 0
    """Subsets of the customary estimate `kid_subsets` (100 is usual); 0 leaves it out."""
    subset_size: Count = 1000
    """Samples in each subset."""

    def measure(
        self, evidence: Evidence, sample_set: int = 0
    ) -> dict[str, float | NotApplicable]:
        """Both estimates; the reference's terms are kept on disk."""
        x = evidence.features(self.extractor, sample_set)
        y = evidence.reference_features(self.extractor, n=evidence.count)
        known = evidence.of_reference(
            "kernel", lambda: terms(y), self.extractor, n=evidence.count
        )
        values: dict[str, float | NotApplicable] = {"kid": kid(x, y, known)}
        try:
            values["kid_subsets"] = kid_subsets(x, y, self.subsets, self.subset_size)
        except NotApplicable as why:  # the exact estimate stands
            values["kid_subsets"] = why
        return values

    def protocol(self, evidence: Evidence) -> str:
        """Extractor, samples (as many as references) and split; the subsets, if any."""
        tail = f"-{self.subsets}x{self.subset_size}" if self.subsets else ""
        return evidence.label(self.extractor) + tail
