"""The squared MMD of features under the kernel (xᵀy / d + 1)³, unbiased (Bińkowski et al., 2018,
arXiv:1801.01401).

`kid` is the unbiased estimate over all samples; `kid_subsets` the customary mean over random
subsets, drawn as in torch-fidelity, for comparison with published numbers. Negative values are
possible. With few features the kernel sums are inner products of moment tensors, linear in the
number of samples; with many they are summed block by block. Both are computed on the given device:
products in plain float32, sums in float64.
"""

import math
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from genbench.evaluation.base import Evidence, Metric, NotApplicable
from genbench.evaluation.extractors.base import exact_arithmetic
from genbench.evaluation.metrics._options import FeatureOptions
from genbench.fields import Count, Natural

BLOCK = 1000
FEW = 64
"""Features up to which moment tensors are the faster way."""
_SEED = 2020


def kid(
    x: np.ndarray, y: np.ndarray, known: Mapping[str, np.ndarray] | None = None,
    device: torch.device | str = "cpu",
) -> float:
    """The unbiased squared MMD between features (n, d) and (m, d), float32, taken on `device`.

    `known` are the `terms` of y where they are at hand.
    """
    mine, known = terms(x, device), terms(y, device) if known is None else known
    if "first" in mine:
        cross = _inner(mine, known)
    else:
        cross = _blockwise(_on(x, device), _on(y, device))
    return float(mine["within"] + known["within"]) - 2 * cross / (len(x) * len(y))


def terms(x: np.ndarray, device: torch.device | str = "cpu") -> dict[str, np.ndarray]:
    """What of the estimate depends on one side alone.

    `within`, the mean kernel of pairs of different rows; with few features also the moment
    tensors `count`, `first`, `second` and `third`.
    """
    rows = _on(x, device)
    if x.shape[1] > FEW:
        return {"within": np.array(_within(rows, _blockwise(rows, rows)))}
    tensors = _tensors(rows)
    return {"within": np.array(_within(rows, _inner(tensors, tensors))), **tensors}


def _on(x: np.ndarray, device: torch.device | str) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(x)).to(device)


def _within(x: Tensor, total: float) -> float:
    n, d = x.shape
    if n < 2:
        raise NotApplicable(f"an unbiased estimate takes at least 2 samples, not {n}")
    norms = torch.cat([part.double().square().sum(1) for part in x.split(BLOCK)])
    return (total - float(((norms / d + 1) ** 3).sum())) / (n * (n - 1))


def _tensors(x: Tensor) -> dict[str, np.ndarray]:
    """Sums over rows of 1, x, x⊗x and x⊗x⊗x, float64.

    Of the symmetric first pair of axes only i ≤ j is kept, with √2 where i < j, so that plain
    inner products are those of the whole tensors.
    """
    d = x.shape[1]
    rows, columns = torch.triu_indices(d, d, device=x.device)
    scale = torch.where(rows == columns, 1.0, math.sqrt(2.0)).double()
    first, second, third = (x.new_zeros(shape, dtype=torch.float64)
                            for shape in ((d,), (len(rows),), (len(rows), d)))
    for rough in x.split(BLOCK):
        part = rough.double().T.contiguous()  # (d, b)
        pairs = part[rows]  # (d(d+1)/2, b)
        pairs *= part[columns]
        pairs *= scale[:, None]
        first += part.sum(1)
        second += pairs.sum(1)
        third += pairs @ part.T
    sums = {"first": first, "second": second, "third": third}
    count = np.array(float(len(x)))
    return {"count": count, **{name: total.cpu().numpy() for name, total in sums.items()}}


def _inner(a: Mapping[str, np.ndarray], b: Mapping[str, np.ndarray]) -> float:
    """Σᵢⱼ (xᵢᵀyⱼ / d + 1)³ from both sides' tensors."""
    d = len(a["first"])
    powers = [float((a[name] * b[name]).sum()) for name in ("count", "first", "second", "third")]
    return sum(w * p / d**i for i, (w, p) in enumerate(zip((1, 3, 3, 1), powers, strict=True)))


def _blockwise(x: Tensor, y: Tensor) -> float:
    """The same sum from blocks of the kernel matrix; half of them where x is y."""
    same, d = x is y, x.shape[1]
    total = x.new_zeros((), dtype=torch.float64)  # on the device, which is asked but once
    one = x.new_ones(1, 1)
    with exact_arithmetic(x.device):
        for i, mine in enumerate(x.split(BLOCK)):
            for j, theirs in enumerate(y.split(BLOCK)):
                if same and j < i:
                    continue
                kernel = torch.addmm(one, mine / d, theirs.T)
                cube = kernel * kernel
                cube *= kernel
                total += cube.sum(dtype=torch.float64) * (2 if same and i < j else 1)
    return float(total)


def kid_subsets(
    x: np.ndarray, y: np.ndarray, subsets: int, size: int, device: torch.device | str = "cpu"
) -> float:
    """The mean estimate over random subsets, with torch-fidelity's stream of random numbers."""
    if not subsets:
        raise NotApplicable("no subsets were asked for (subsets)")
    if min(len(x), len(y)) < size:
        raise NotApplicable(
            f"{min(len(x), len(y))} samples are fewer than a subset of {size} (subset_size)"
        )
    rng = np.random.RandomState(_SEED)
    total = 0.0
    first, second = _on(x, device), _on(y, device)
    for _ in range(subsets):
        a, b = (
            rows[torch.from_numpy(rng.choice(len(rows), size, replace=False)).to(rows.device)]
            for rows in (first, second)
        )
        total += _within(a, _blockwise(a, a)) + _within(b, _blockwise(b, b))
        total -= 2 * _blockwise(a, b) / size**2
    return total / subsets


class Kid(FeatureOptions, Metric):
    """Unbiased kernel distance of features between samples and as many reference images."""

    values = {
        "kid": {"better": "lower", "tolerance": "0.001 with inception", "title": "KID"},
        "kid_subsets": {
            "better": "lower", "tolerance": "0.001 with inception", "title": "KID (subsets)",
        },
    }
    kinds = ("images",)
    sampled = True
    cite = "binkowski2018demystifying"

    subsets: Natural = 0
    """Subsets of the customary estimate `kid_subsets` (100 is usual); 0 leaves it out."""
    subset_size: Count = 1000
    """Samples in each subset."""

    def measure(
        self, evidence: Evidence, sample_set: int = 0
    ) -> dict[str, float | NotApplicable]:
        device = evidence.device
        x = evidence.features(self.extractor, sample_set)
        y = evidence.reference_features(self.extractor, n=evidence.count)
        known = evidence.of_reference(
            "kernel", lambda: terms(y, device), self.extractor, n=evidence.count
        )
        values: dict[str, float | NotApplicable] = {"kid": kid(x, y, known, device)}
        try:
            values["kid_subsets"] = kid_subsets(
                x, y, self.subsets, self.subset_size, device
            )
        except NotApplicable as why:  # the exact estimate stands
            values["kid_subsets"] = why
        return values

    def protocol(self, evidence: Evidence) -> str:
        tail = f"-{self.subsets}x{self.subset_size}" if self.subsets else ""
        return evidence.label(self.extractor) + tail
