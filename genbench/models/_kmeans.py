"""k-means, for data-dependent initialisation: k-means++ (Arthur, Vassilvitskii, 2007,
doi:10.5555/1283383.1283494), then Lloyd's algorithm.
"""

import torch
from torch import Tensor

from genbench.noise import Noise


def kmeans(
    x: Tensor, clusters: int, noise: Noise, restarts: int = 8, iterations: int = 25,
) -> tuple[Tensor, Tensor]:
    """Centres (clusters, D) of x (N, D), and the cluster of each row (N,) int64.

    The restart of lowest inertia (sum of squared distances). An empty cluster keeps its centre.
    """
    best: tuple[Tensor, Tensor, Tensor] | None = None
    for restart in range(restarts):
        centres = _plus_plus(x, clusters, noise.child("restart", restart))
        for _ in range(iterations):
            cluster = torch.cdist(x, centres).argmin(1)
            counts = torch.bincount(cluster, minlength=clusters)[:, None]
            sums = torch.zeros_like(centres).index_add_(0, cluster, x)
            centres = torch.where(counts > 0, sums / counts.clamp(min=1), centres)
        distance, cluster = torch.cdist(x, centres).min(1)
        inertia = distance.square().sum()
        if best is None or inertia < best[0]:
            best = (inertia, centres, cluster)
    assert best is not None
    return best[1], best[2]


def _plus_plus(x: Tensor, clusters: int, noise: Noise) -> Tensor:
    """Initial centres: rows of x drawn in turn, with probability proportional to the squared
    distance from the nearest centre so far.
    """
    centres = [x[noise.integers("first", len(x), 1)[0]]]
    nearest = (x - centres[0]).square().sum(1)
    for i in range(1, clusters):
        weights = nearest if nearest.sum() > 0 else torch.ones_like(nearest)
        centres.append(x[noise.categorical(f"seed{i}", weights, 1)[0]])
        nearest = torch.minimum(nearest, (x - centres[-1]).square().sum(1))
    return torch.stack(centres)
