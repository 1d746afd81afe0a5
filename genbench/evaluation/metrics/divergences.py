"""With p of the test points and q of the samples, in nats:

    kl = KL(p ‖ q) = Σ p log(p/q)      infinite where q = 0 < p
    js = ½ KL(p ‖ m) + ½ KL(q ‖ m),    m = (p + q)/2, at most log 2
    js_sum = KL(p ‖ m) + KL(q ‖ m)     the other convention, at most 2 log 2

Both conventions are in use under the name Jensen–Shannon (Lin, 1991, doi:10.1109/18.61115). Each
dimension's bins divide the range of the test points, with one more bin for values beyond on either
side, so that outliers among samples do not change the grid. The divergences grow with the number
of bins, which is part of the protocol. `js_floor` is the value between two sets of true data.
"""

import numpy as np
from torch import Tensor

from genbench.evaluation.base import Evidence, Metric, NotApplicable, count_name
from genbench.evaluation.metrics._floors import true_floors
from genbench.fields import Count


def divergences(p: np.ndarray, q: np.ndarray) -> dict[str, float]:
    """kl, js and js_sum of two distributions over the same bins (K,), nats; kl may be infinite."""
    middle = (p + q) / 2

    def relative(a: np.ndarray, b: np.ndarray) -> float:
        support = a > 0
        with np.errstate(divide="ignore"):
            return float((a[support] * np.log(a[support] / b[support])).sum())

    both = relative(p, middle) + relative(q, middle)
    return {"kl": relative(p, q), "js": both / 2, "js_sum": both}


def shares(rows: np.ndarray, low: np.ndarray, wide: np.ndarray, bins: int) -> np.ndarray:
    """The fraction of rows (N, D) in each cell of the grid, ((bins + 2)^D,)."""
    place = np.floor((rows - low) / wide * bins).clip(-1, bins).astype(int) + 1
    cells = (bins + 2,) * rows.shape[1]
    index = np.ravel_multi_index(tuple(place.T), cells)
    return np.bincount(index, minlength=int(np.prod(cells))) / len(rows)


class Divergences(Metric):
    """Kullback–Leibler and Jensen–Shannon divergences of points, by histograms."""

    cite = "lin1991divergence"
    values = {
        "kl": {"better": "lower", "unit": "nats", "title": "KL(data ‖ samples)"},
        "kl_floor": {"better": "none", "unit": "nats", "title": "KL floor"},
        "js": {"better": "lower", "unit": "nats", "title": "JS, halved"},
        "js_floor": {"better": "none", "unit": "nats", "title": "JS floor, halved"},
        "js_sum": {"better": "lower", "unit": "nats", "title": "JS, sum"},
        "js_sum_floor": {"better": "none", "unit": "nats", "title": "JS floor, sum"},
    }
    kinds = ("points",)
    sampled = True
    rows_needed = "size"
    version = 2

    bins: Count = 20
    """Bins of each dimension over the range of the test points; two more hold what is beyond."""
    size: Count = 20000
    """Points of each set."""

    def measure(self, evidence: Evidence, sample_set: int = 0) -> dict[str, float]:
        y = evidence.reference("test", self.size)  # first: where they are few, nothing is drawn
        return self._distances(evidence.samples(sample_set, self.size), y)

    def floors(self, evidence: Evidence) -> list[dict[str, float | NotApplicable]]:
        y = evidence.reference("test", self.size)
        return true_floors(self, evidence, "js", self.size, lambda x, _: self._distances(x, y))

    def protocol(self, evidence: Evidence) -> str:
        return f"{count_name(self.size)}-test-{self.bins}bins-overflow"

    def _distances(self, samples: Tensor, test: Tensor) -> dict[str, float]:
        x, y = (rows.double().numpy() for rows in (samples, test))
        if x.shape[1] > 2:
            raise NotApplicable(f"histograms are for 1 or 2 dimensions, not {x.shape[1]}")
        low, wide = y.min(0), np.ptp(y, 0)
        wide = np.where(wide > 1e-9, 1.000002 * wide, 1.0)
        p, q = (shares(rows, low - 5e-7 * wide, wide, self.bins) for rows in (y, x))
        return divergences(p, q)
