"""Any finite mixture of Gaussians, in any number of dimensions."""

import math

import torch
from torch import Tensor

from genbench.data._mixture import MixtureTruth
from genbench.data._toys import Toy
from genbench.errors import DataError
from genbench.fields import Positive


class Gaussians(Toy):
    """A mixture of Gaussians of given means, covariances and weights."""

    has_modes = True

    means: list[list[float]] = [[-4.0, 0.0], [4.0, 0.0], [0.0, 6.0]]
    """The centres: K lists of D coordinates."""
    covariances: list[list[list[float]]] | Positive = 1.0
    """K symmetric, positive definite D × D matrices, or one variance for every coordinate."""
    weights: list[Positive] | None = None
    """K weights, normalised to sum to 1, or null for equal ones."""

    def truth(self) -> MixtureTruth:
        """Refuses shapes that do not fit together, and a covariance that is none."""
        means, covariances = self._means(), self._covariances()
        weights = torch.tensor(self.weights or [1.0] * len(means), dtype=torch.float64)
        if len(weights) != len(means):
            raise DataError(
                f"gaussians: weights: expected {len(means)}, one a mean, got {len(weights)}"
            )
        return MixtureTruth(means, covariances, weights)

    def _means(self) -> Tensor:
        lengths = {len(mean) for mean in self.means}
        if len(lengths) != 1 or 0 in lengths:
            raise DataError(
                "gaussians: means: expected a list of points with the same number of "
                f"coordinates, got lengths {[len(mean) for mean in self.means]}"
            )
        means = torch.tensor(self.means, dtype=torch.float64)
        if not means.isfinite().all():
            raise DataError("gaussians: means: expected finite numbers")
        return means

    def _covariances(self) -> Tensor:
        count, dims = len(self.means), len(self.means[0])
        if isinstance(self.covariances, float):
            return self.covariances * torch.eye(dims, dtype=torch.float64).repeat(count, 1, 1)
        if len(self.covariances) != count:
            raise DataError(
                f"gaussians: covariances: expected {count}, one a mean, "
                f"got {len(self.covariances)}"
            )
        for k, rows in enumerate(self.covariances):
            problem = _problem(rows, dims)
            if problem:
                raise DataError(f"gaussians: covariances[{k}]: {problem}")
        return torch.tensor(self.covariances, dtype=torch.float64)


def _problem(rows: list[list[float]], dims: int) -> str:
    """What keeps a matrix from being a D × D covariance, or nothing."""
    if len(rows) != dims or any(len(row) != dims for row in rows):
        return f"expected {dims} × {dims} numbers, as the means have {dims} coordinates"
    if not all(math.isfinite(value) for row in rows for value in row):
        return "expected finite numbers"
    matrix = torch.tensor(rows, dtype=torch.float64)
    if not torch.allclose(matrix, matrix.T, rtol=1e-6, atol=0):
        return "is not symmetric"
    if int(torch.linalg.cholesky_ex(matrix).info):
        return "is not positive definite"
    return ""
