"""The agreement tables of the README: ours, torch-fidelity's, and the published formula's.

The test computes every number anew and holds the table against them; run as a script, this
file prints the table.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm
from scipy.spatial.distance import cdist
from scipy.special import softmax
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_isc import isc_features_to_metric
from torch_fidelity.metric_kid import kid_features_to_metric
from torch_fidelity.metric_prc import calculate_precision_recall_full

from genbench.evaluation.metrics._neighbours import manifolds
from genbench.evaluation.metrics.fid import frechet_distance, moments, rows_distance
from genbench.evaluation.metrics.inception_score import inception_score
from genbench.evaluation.metrics.kid import kid

PAGE = Path(__file__).parents[2] / "genbench/docs/metrics.md"
CASES = {
    "equal sizes, 1000 × 64": (1000, 1000, 64),
    "unequal sizes, 700 and 1300 × 64": (700, 1300, 64),
    "fewer rows than features, 150 and 400 × 256": (150, 400, 256),
}
Row = tuple[str, str, float, float | None, float | None]


def features(n: int, d: int, seed: int, shift: float = 0.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.maximum(rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) / np.sqrt(d) + shift, 0)


def fid_formula(x: np.ndarray, y: np.ndarray) -> float:
    """Heusel et al. (2017): |μ − ν|² + tr(A + B − 2 (A B)^½)."""
    a, b = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    root = sqrtm(a @ b)
    shift = x.mean(0) - y.mean(0)
    return float(shift @ shift + np.trace(a) + np.trace(b) - 2 * np.trace(root).real)


def kid_formula(x: np.ndarray, y: np.ndarray) -> float:
    """Bińkowski et al. (2018): the unbiased squared MMD with (xᵀy/d + 1)³."""
    def k(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return (a @ b.T / a.shape[1] + 1) ** 3

    xx, yy, n, m = k(x, x), k(y, y), len(x), len(y)
    within = (xx.sum() - np.trace(xx)) / (n * (n - 1)) + (yy.sum() - np.trace(yy)) / (m * (m - 1))
    return float(within - 2 * k(x, y).mean())


def is_formula(logits: np.ndarray) -> float:
    """Salimans et al. (2016): exp E KL(p(y|x) ‖ p(y)), of all rows at once."""
    p = softmax(logits, 1)
    return float(np.exp((p * (np.log(p) - np.log(p.mean(0)))).sum(1).mean()))


def balls_formula(real: np.ndarray, fake: np.ndarray, k: int) -> dict[str, float]:
    """Kynkäänniemi et al. (2019) and Naeem et al. (2020)."""
    reach = [np.sort(cdist(x, x), 1)[:, k] for x in (real, fake)]
    cross = cdist(real, fake)
    inside = cross <= reach[0][:, None]
    return {
        "precision": float(inside.any(0).mean()),
        "recall": float((cross <= reach[1]).any(1).mean()),
        "density": float(inside.sum(0).mean() / k),
        "coverage": float((cross.min(1) <= reach[0]).mean()),
    }


def rows() -> list[Row]:
    """Metric, case, ours, torch-fidelity's (None where it has none), the formula's."""
    found: list[Row] = []
    for case, (n, m, d) in CASES.items():
        x, y = features(n, d, 0), features(m, d, 1, 0.2)
        both = [torch.from_numpy(rows) for rows in (x, y)]
        theirs = fid_statistics_to_metric(
            *map(fid_features_to_statistics, both), verbose=False
        )["frechet_inception_distance"]
        ours = frechet_distance(moments(x), moments(y, root=True))
        assert rows_distance(x, y) == pytest.approx(ours, rel=1e-6)
        found.append(("FID", case, ours, theirs, fid_formula(x, y)))
    for case, (n, m, d) in CASES.items():
        x, y = features(n, d, 0), features(m, d, 1, 0.2)
        theirs = None
        if n == m:  # its subsets are of equal sizes; one of all rows is the whole estimate
            theirs = kid_features_to_metric(
                torch.from_numpy(x), torch.from_numpy(y), kid_subsets=1, kid_subset_size=n,
                verbose=False,
            )["kernel_inception_distance_mean"]
        found.append(("KID", case, kid(x, y), theirs, kid_formula(x, y)))
    logits = 4 * np.random.default_rng(3).normal(size=(1000, 20))
    for splits in (1, 10):
        theirs = isc_features_to_metric(torch.from_numpy(logits), splits)["inception_score_mean"]
        formula = is_formula(logits) if splits == 1 else None  # which rows share a split is drawn
        found.append((f"IS, splits = {splits}", "1000 × 20 logits",
                      inception_score(logits, splits)[0], theirs, formula))
    for case, (n, m, d) in CASES.items():
        x, y = features(n, d, 0), features(m, d, 1, 0.2)
        ours, formula = manifolds(y, x, (3, 5)), balls_formula(y, x, 3) | {
            name: value for name, value in balls_formula(y, x, 5).items()
            if name in ("density", "coverage")
        }
        precision, recall = calculate_precision_recall_full(
            torch.from_numpy(x), torch.from_numpy(y), 3
        )
        found += [
            ("precision, k = 3", case, ours[3].precision, precision, formula["precision"]),
            ("recall, k = 3", case, ours[3].recall, recall, formula["recall"]),
            ("density, k = 5", case, ours[5].density, None, formula["density"]),
            ("coverage, k = 5", case, ours[5].coverage, None, formula["coverage"]),
        ]
    return found


def line(row: Row) -> str:
    metric, case, *values = row
    return f"| {metric} | {case} | " + " | ".join(
        "–" if value is None else f"{value:.7g}" for value in values
    ) + " |"


def test_all_three_agree_and_the_manual_says_so() -> None:
    """To six digits: torch-fidelity keeps precision and recall in float32."""
    written = re.findall(r"^\| (?:FID|KID|IS|precision|recall|density|coverage)[, ].*\|$",
                         PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    computed = rows()
    assert len(written) == len(computed), "\n".join(map(line, computed))
    for text, (metric, case, ours, theirs, formula) in zip(written, computed, strict=True):
        for other in (theirs, formula):
            assert other is None or other == pytest.approx(ours, rel=1e-6), (metric, case)
        cells = [cell.strip() for cell in text.strip("|").split("|")]
        assert cells[:2] == [metric, case]
        for cell, value in zip(cells[2:], (ours, theirs, formula), strict=True):
            assert (cell == "–") == (value is None)
            assert value is None or float(cell) == pytest.approx(value, rel=1e-6)


if __name__ == "__main__":
    print("\n".join(map(line, rows())))
