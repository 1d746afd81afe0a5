"""k-means, for models that start from the data: k-means++ (Arthur, Vassilvitskii, 2007,
doi:10.5555/1283383.1283494), then Lloyd's algorithm.
"""

import torch
from torch import Tensor

from genbench.noise import Noise


def kmeans(
    x: Tensor, clusters: int, noise: Noise, restarts: int = 8, rounds: int = 25,
) -> tuple[Tensor, Tensor]:
    """Centres (clusters, D) of x (N, D), and the cluster of each row (N,) int64.

    The best of several starts by the sum of squared distances. A cluster that loses all of its
    points keeps its centre.
    """
    best: tuple[Tensor, Tensor, Tensor] | None = None
    for restart in range(restarts):
        centres = _seeds(x, clusters, noise.child("restart", restart))
        for _ in range(rounds):
            owner = torch.cdist(x, centres).argmin(1)
            counts = torch.bincount(owner, minlength=clusters)[:, None]
            sums = torch.zeros_like(centres).index_add_(0, owner, x)
            centres = torch.where(counts > 0, sums / counts.clamp(min=1), centres)
        distance, owner = torch.cdist(x, centres).min(1)
        inertia = distance.square().sum()
        if best is None or inertia < best[0]:
            best = (inertia, centres, owner)
    assert best is not None
    return best[1], best[2]


def _seeds(x: Tensor, clusters: int, noise: Noise) -> Tensor:
    """Rows of x drawn in turn, each with probability proportional to its squared distance."""
    chosen = [x[noise.integers("first", len(x), 1)[0]]]
    nearest = (x - chosen[0]).square().sum(1)
    for i in range(1, clusters):
        weights = nearest if nearest.sum() > 0 else torch.ones_like(nearest)
        chosen.append(x[noise.categorical(f"seed{i}", weights, 1)[0]])
        nearest = torch.minimum(nearest, (x - chosen[-1]).square().sum(1))
    return torch.stack(chosen)
