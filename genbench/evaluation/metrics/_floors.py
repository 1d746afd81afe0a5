"""The floor of a sample distance: its value between two independent sets of true data.

A distance between finite samples is biased upwards, and is not zero for the true distribution; the
values of good models are to be compared with the floor at the same sample size.
"""

import math
from collections.abc import Callable, Mapping

import numpy as np
from torch import Tensor

from genbench.evaluation.base import Evidence, Metric, NotApplicable
from genbench.noise import Noise
from genbench.seeding import derive
from genbench.steps import step

_TRUE_SETS = 3
"""True sets that a floor is the mean of, and its spread."""


def true_floors(
    metric: Metric, evidence: Evidence, name: str, size: int,
    distances: Callable[[Tensor, int], Mapping[str, float]], sets: int = _TRUE_SETS,
) -> list[dict[str, float | NotApplicable]]:
    """`distances(rows, r)` of true sets r = 0, 1, … of `size` rows, by names with `_floor`.

    The sets are draws of the truth, named by `name`; else disjoint training rows, in fewer sets
    where there are fewer. Computed once for a dataset and a protocol, and kept on disk.

    Raises:
        NotApplicable: the truth is not known, and the training rows do not do.
    """
    points = evidence.data.kind == "points"
    what = " ".join(map(str, (
        "floors", name, metric.version, metric.protocol(evidence), sorted(vars(metric).items()),
        size, sets,
    )))
    try:
        if evidence.data.truth is None:
            sets = max(1, min(sets, len(evidence.order("train")) // size))
            what += f" {evidence.contents('train', size * sets)}"
    except NotApplicable as reason:
        raise NotApplicable(f"no floor without a known truth: {reason}") from None
    known = evidence.of_reference(
        what, lambda: _apart(evidence, name, size, distances, sets), "raw",
        n=None if points else size,  # of points, the scale and the blocks rest on the whole split
    )
    return [
        {f"{each}_floor": _finite(float(value)) for each, value in zip(known, column, strict=True)}
        for column in zip(*known.values(), strict=True)
    ]


def _apart(
    evidence: Evidence, name: str, size: int,
    distances: Callable[[Tensor, int], Mapping[str, float]], sets: int,
) -> dict[str, np.ndarray]:
    found = []
    for r in range(sets):
        with step(f"{name} floor {r + 1}/{sets}"):
            found.append(distances(_true(evidence, name, size, r, sets), r))
    return {each: np.array([one[each] for one in found]) for each in found[0]}


def _true(evidence: Evidence, name: str, size: int, r: int, sets: int) -> Tensor:
    """True rows that are no test rows: draws of the truth, else training rows."""
    truth = evidence.data.truth
    if truth is not None:
        return truth.sample(size, Noise(derive("genbench", f"{name} floor", r)))
    return evidence.reference("train", size * sets)[r * size:][:size]


def _finite(value: float) -> float | NotApplicable:
    return value if math.isfinite(value) else NotApplicable("infinite between true sets")
