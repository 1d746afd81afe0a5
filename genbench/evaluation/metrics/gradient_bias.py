"""Whether the gradient of a distance, taken on small batches, is on average that of the whole
(Bellemare et al., 2017, arXiv:1705.10743).

The gradient is that of moving all samples together. Its mean over 10,000 batches of two samples
and two test points is compared with the gradient between 1,000 and 1,000 (Wasserstein), or with
that between 40 times as many pairs (Cramér's energy distance, 2 E‖X − Y‖ − E‖X − X'‖ − E‖Y − Y'‖);
the bias is the norm of the difference over the norm of the latter.
"""

import numpy as np

from genbench.evaluation.base import Evidence, Metric, NotApplicable

_BATCHES, _WHOLE, _SHIFTS = 10_000, 1000, 40
_SMALL = 0.1
"""The norm below which a gradient is taken for none; that of distances far apart is 1 or 2."""


def directions(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The unit vectors (…, D) from y to x, zero where they meet: ∇ₓ ‖x − y‖."""
    apart = x - y
    norm = np.linalg.norm(apart, axis=-1, keepdims=True)
    return np.divide(apart, norm, out=np.zeros_like(apart), where=norm > 0)


def pairs_gradient(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """∇ W₁ of shifting x, for batches of two: x and y (B, 2, D), gradients (B, D)."""
    straight, crossed = directions(x, y), directions(x, y[:, ::-1])
    costs = [np.linalg.norm(x - z, axis=-1).sum(1) for z in (y, y[:, ::-1])]
    best = np.where((costs[0] <= costs[1])[:, None, None], straight, crossed)
    return np.asarray(best.mean(1))


def whole_gradient(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """∇ W₁ of shifting x, (D,), of sets (N, D)."""
    from scipy.optimize import linear_sum_assignment
    from scipy.spatial.distance import cdist

    rows, columns = linear_sum_assignment(cdist(x, y))
    return np.asarray(directions(x[rows], y[columns]).mean(0))


def bias(found: np.ndarray, exact: np.ndarray) -> float:
    """How far the mean of gradients (B, D) is from the exact one (D,), over its norm."""
    size = float(np.linalg.norm(exact))
    if size < _SMALL:
        raise NotApplicable(f"a gradient of {size:.1g} is zero within its noise")
    return float(np.linalg.norm(found.mean(0) - exact)) / size


class GradientBias(Metric):
    """Bias of the gradients of the Wasserstein and the Cramér distance on batches of two."""

    cite = "bellemare2017cramer"
    values = {
        "w1_gradient_bias": {"better": "none", "title": "bias of the gradient, W₁"},
        "cramer_gradient_bias": {"better": "none", "title": "bias of the gradient, Cramér"},
    }
    kinds = ("points",)

    def measure(self, evidence: Evidence, sample_set: int = 0) -> dict[str, float]:
        rows = min(2 * _BATCHES, evidence.at_most(2 * _BATCHES), len(evidence.data.test))
        rows -= rows % 2
        x, y = (
            each.double().numpy() for each in
            (evidence.samples(0, rows), evidence.reference("test", rows))
        )
        small = [part.reshape(-1, 2, part.shape[1]) for part in (x, y)]
        cramer = 2 * np.stack([directions(small[0], z).mean(1) for z in (
            small[1], small[1][:, ::-1])]).mean(0)  # all four pairs of a batch
        some = [part[:_WHOLE] for part in (x, y)]
        every = 2 * np.mean([
            directions(x, np.roll(y, shift, 0)).mean(0) for shift in range(2, 2 + _SHIFTS)
        ], 0)  # pairs that no batch holds
        return {
            "w1_gradient_bias": bias(pairs_gradient(*small), whole_gradient(*some)),
            "cramer_gradient_bias": bias(cramer, every),
        }

    def protocol(self, evidence: Evidence) -> str:
        return f"batches-of-2-against-{_WHOLE}"
