"""A mixture of Gaussians fitted by scikit-learn's EM (Dempster et al., 1977,
doi:10.1111/j.2517-6161.1977.tb01600.x).

    log p(x) = log Σ_c w_c N(x; μ_c, Σ_c)
"""

import math
import warnings

import torch
from torch import Tensor

from genbench.errors import GenbenchError
from genbench.fields import Count, Literal
from genbench.models.base import Model, Noise, Space


class GaussianMixture(Model):
    """A mixture of Gaussians, fitted by EM in float64 on the CPU.

    Density: exact; a standard normal before the fit. On images a full covariance has D² entries
    per component.
    """

    cite = "dempster1977maximum"

    components: Count = 10
    """Number of Gaussians."""
    covariance: Literal["full", "diag", "tied", "spherical"] = "full"
    """Form of the covariances: free, diagonal, one shared by all components (tied), or a multiple
    of the identity (spherical)."""
    n_init: Count = 1
    """Number of k-means initialisations; the fit of highest likelihood is kept."""
    max_iterations: Count = 500
    """Largest number of EM iterations; EM stops when the mean log-likelihood changes by less than
    10⁻³."""

    def build(self, space: Space) -> None:
        """Every component is a standard normal."""
        count, dims = self.components, space.dims
        self.register_buffer("means", torch.zeros(count, dims, dtype=torch.float64))
        factors = torch.eye(dims, dtype=torch.float64).repeat(count, 1, 1)
        self.register_buffer("factors", factors)  # lower Cholesky factors of the covariances
        log_weights = torch.full((count,), -math.log(count), dtype=torch.float64)
        self.register_buffer("log_weights_of_components", log_weights)
        self.likelihood_reason = space.density_reason

    @classmethod
    def preferred_scaling(
        cls, kind: Literal["points", "images"], **options: object,
    ) -> tuple[str, bool]:
        return ("standard", False) if kind == "points" else ("unit", True)

    def fit(self, x: Tensor, seed: int) -> None:
        """By EM from k-means, seeded by `seed`; refuses fewer rows than components."""
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.mixture import GaussianMixture as Fit

        if len(x) < max(2, self.components):
            raise GenbenchError(
                f"gaussian_mixture: {self.components} components need as many points at least, "
                f"there are {len(x)}"
            )
        rows = x.detach().flatten(1).cpu().double().numpy()
        fit = Fit(
            self.components, covariance_type=self.covariance, n_init=self.n_init,
            max_iter=self.max_iterations, random_state=seed % 2**32,
        )
        with warnings.catch_warnings():
            # slow convergence is no failure, nor are fewer distinct rows than centres
            warnings.simplefilter("ignore", ConvergenceWarning)
            fit.fit(rows)
        covariances = torch.as_tensor(fit.covariances_)
        self.get_buffer("means").copy_(torch.as_tensor(fit.means_))
        self.get_buffer("factors").copy_(torch.linalg.cholesky(self._full(covariances)))
        self.get_buffer("log_weights_of_components").copy_(torch.as_tensor(fit.weights_).log())

    def _full(self, covariances: Tensor) -> Tensor:
        """scikit-learn's covariances, of any form, as (T, D, D)."""
        dims = self.space.dims
        if self.covariance == "tied":
            return covariances.expand(self.components, dims, dims)
        if self.covariance == "diag":
            return torch.diag_embed(covariances)
        if self.covariance == "spherical":
            return covariances[:, None, None] * torch.eye(dims, dtype=torch.float64)
        return covariances

    def mixture_log_weights(self) -> Tensor:
        return self.get_buffer("log_weights_of_components")

    def component_log_prob(self, x: Tensor) -> Tensor:
        factors = self.get_buffer("factors")
        centred = x.flatten(1).to(factors.dtype) - self.get_buffer("means")[:, None]  # (T, B, D)
        white = torch.linalg.solve_triangular(factors, centred.transpose(1, 2), upper=False)
        log_det = factors.diagonal(dim1=1, dim2=2).log().sum(1)  # (T,)
        constant = 0.5 * self.space.dims * math.log(2 * math.pi)
        return (-0.5 * white.square().sum(1).T - log_det - constant).to(x.dtype)

    def log_prob(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        terms = self.component_log_prob(x)
        return torch.logsumexp(terms + self.mixture_log_weights().to(terms.dtype), dim=1)

    def generate(self, n: int, noise: Noise, context: Tensor | None = None) -> Tensor:
        return self.generate_with_components(n, noise)[0]

    def generate_with_components(self, n: int, noise: Noise) -> tuple[Tensor, Tensor]:
        """n samples (n, *shape) and their components (n,) int64."""
        c = noise.categorical("c", self.mixture_log_weights().exp(), n)
        z = noise.normal("z", n, self.space.dims).to(self.get_buffer("means"))
        x = torch.empty_like(z)
        for i, factor in enumerate(self.get_buffer("factors")):
            rows = c == i
            x[rows] = self.get_buffer("means")[i] + z[rows] @ factor.T
        return x.float().reshape(n, *self.space.shape), c
