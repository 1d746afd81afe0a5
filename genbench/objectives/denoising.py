"""Denoising: predict the noise that was added to an example (Ho et al., 2020, arXiv:2006.11239,
eq. 12 and 14). With t uniform and ε ~ N(0, I):

    simple   E ‖ε − ε̂(x_t, t)‖² / D
    bound    E T · w_t ‖ε − ε̂(x_t, t)‖²,  the negative variational bound up to a constant

Learned variances learn from the bound itself: beside `simple` by 1/1000 of it per dimension, from
which the mean learns nothing (Nichol, Dhariwal, 2021, arXiv:2102.09672, eq. 16).
"""

from torch import Tensor

from genbench.errors import GenbenchError
from genbench.fields import Literal
from genbench.models.base import Denoiser, LearnedVariance, VariationalDenoiser
from genbench.objectives.base import Batch, Noise, Objective, Terms

_HYBRID = 0.001
"""Weight of the bound beside the simple loss."""


class Denoising(Objective[Denoiser]):
    """Minimises the squared error of the predicted noise at random steps."""

    cite = "ho2020denoising"

    weighting: Literal["simple", "bound"] = "simple"
    """Every step alike, per dimension (better pictures), or as the variational bound weighs them,
    nats per example (better likelihoods, noisier gradients)."""

    def build(self, model: Denoiser) -> None:
        """Refuses a model that cannot weigh its steps, where that is asked for."""
        if self.weighting == "bound" and not isinstance(model, VariationalDenoiser):
            raise GenbenchError(
                f"denoising.weighting: 'bound' needs a model with bound_weights(t), which "
                f"{type(model).__name__} lacks; use simple"
            )

    def loss(self, player: str, model: Denoiser, batch: Batch, noise: Noise) -> Terms:
        t = noise.integers("t", model.steps, len(batch))
        eps = noise.normal("eps", *batch.x.shape).to(batch.x)
        x_t = model.diffuse(batch.x, t, eps)
        if isinstance(model, LearnedVariance) and model.learned:
            return self._hybrid(model, batch.x, x_t, t, eps)
        predicted = model.predict_noise(x_t, t)
        error = (eps - predicted).square().flatten(1)  # (B, D)
        if self.weighting == "simple":
            return {"denoising": error.mean()}
        assert isinstance(model, VariationalDenoiser)
        weights = model.steps * model.bound_weights(t).to(error.dtype)
        return {"denoising": (weights * error.sum(1)).mean()}

    def _hybrid(
        self, model: LearnedVariance, x: Tensor, x_t: Tensor, t: Tensor, eps: Tensor
    ) -> Terms:
        predicted, sigma = model.predict(x_t, t)
        if self.weighting == "bound":
            bound = model.step_bound(x, x_t, t, predicted, sigma)
            return {"denoising": model.steps * bound.flatten(1).sum(1).mean()}
        bound = model.step_bound(x, x_t, t, predicted.detach(), sigma)
        return {
            "denoising": (eps - predicted).square().mean(),
            "variance": _HYBRID * model.steps * bound.mean(),
        }
