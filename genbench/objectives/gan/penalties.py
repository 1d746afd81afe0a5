"""Lipschitz regularisation of the critic: weight clipping and gradient penalties.

- clip: Arjovsky et al., 2017, arXiv:1701.07875
- gradient: Gulrajani et al., 2017, arXiv:1704.00028
- dragan: Kodali et al., 2017, arXiv:1705.07215
- r1, and with `penalty_at: fakes` r2: Mescheder et al., 2018, arXiv:1801.04406

A new penalty is a function of input gradients and an entry of `PENALTIES`, whose keys are the
choices of the option `penalty`, and whose fields decide what it can be combined with.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from genbench.nets.precision import to_float32
from genbench.objectives.base import Noise

Points = Callable[[Tensor, Tensor, Noise], Tensor]
"""Points (B, *shape) from real and fake examples (B, *shape)."""


@torch.no_grad()
def clip_weights(parameters: Iterable[Tensor], bound: float) -> None:
    """Clamp every parameter to [−bound, bound], in place."""
    for parameter in parameters:
        parameter.clamp_(-bound, bound)


# --- where the gradient is taken -----------------------------------------------------------------


def interpolate(real: Tensor, fake: Tensor, epsilon: Tensor) -> Tensor:
    """x̂ = ε·real + (1 − ε)·fake (B, *shape), with one ε (B,) for a whole example."""
    epsilon = epsilon.to(real).reshape(-1, *[1] * (real.dim() - 1))  # (B, 1, …)
    return epsilon * real + (1 - epsilon) * fake


def around_data(real: Tensor, epsilon: Tensor, offset: Tensor) -> Tensor:
    """DRAGAN's perturbed data: x̂ = x + (1 − ε)·½·std·offset (B, *shape).

    As in the authors' code; their paper has x + δ, δ ~ N(0, cI).

    real and offset, uniform on [0, 1), are (B, *shape), epsilon (B,); the standard deviation is
    over all values of the batch.
    """
    perturbed = real + 0.5 * real.std(correction=0) * offset
    return interpolate(real, perturbed, epsilon)


def _interpolates(real: Tensor, fake: Tensor, noise: Noise) -> Tensor:
    return interpolate(real, fake, noise.uniform("interpolate", len(real)))


def _perturbed(real: Tensor, fake: Tensor, noise: Noise) -> Tensor:
    epsilon = noise.uniform("interpolate", len(real))
    return around_data(real, epsilon, noise.uniform("offset", *real.shape).to(real))


PLACES: Mapping[str, Points] = {
    "interpolates": _interpolates,
    "data": lambda real, fake, noise: real,
    "fakes": lambda real, fake, noise: fake,
}
"""Choices of the option `penalty_at`: where the gradient is taken. A literal, read from source."""


# --- penalties -----------------------------------------------------------------------------------


def input_gradient(critic: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """∇c (B, *shape) at examples x (B, *shape), differentiable in the critic's parameters.

    The critic must score each example independently: with batch norm the gradient of the summed
    scores is not the per-example gradient.
    """
    x = x.detach().requires_grad_()
    with torch.enable_grad():
        (gradient,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    return gradient


def gradient_penalty(gradient: Tensor) -> Tensor:
    """E (‖∇c‖₂ − 1)² of input gradients ∇c (B, *shape), a scalar; two-sided."""
    return (to_float32(gradient).flatten(1).norm(dim=1) - 1).square().mean()


def r1_penalty(gradient: Tensor) -> Tensor:
    """½ E ‖∇c‖₂² of input gradients ∇c (B, *shape), a scalar; zero-centred."""
    return to_float32(gradient).flatten(1).square().sum(1).mean() / 2


@dataclass(frozen=True)
class Penalty:
    """A Lipschitz regularisation of the critic: an entry of `PENALTIES`."""

    gradient: Callable[[Tensor], Tensor] | None = None
    """The penalty, a scalar, of input gradients ∇c (B, *shape); refused for a critic that does not
    score each example independently."""
    at: str = "interpolates"
    """Where the gradient is taken by default (option `penalty_at`)."""
    points: Points | None = None
    """Points of its own, in place of `at`; `penalty_at` is then refused."""
    term: str = "gradient_penalty"
    """Its name among the logged losses."""
    term_at: Mapping[str, str] = field(default_factory=dict)
    """Its name at other values of `penalty_at`, where it differs."""
    clips: bool = False
    """Whether the critic's weights are clipped after each of its updates."""


@dataclass(frozen=True)
class Regulariser:
    """A penalty with the options `penalty_weight` and `penalty_at`."""

    penalty: Penalty
    weight: float = 1.0
    at: str | None = None

    def points(self, real: Tensor, fake: Tensor, noise: Noise) -> Tensor:
        """The points (B, *shape) at which the gradient is taken."""
        return (self.penalty.points or PLACES[self.at or self.penalty.at])(real, fake, noise)

    def terms(
        self, gradients: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, noise: Noise
    ) -> dict[str, Tensor]:
        """The weighted penalty by the name of its term; `gradients` gives ∇c (B, *shape) at x."""
        if self.penalty.gradient is None or self.weight == 0:
            return {}
        return self.terms_at(gradients, self.points(real, fake, noise))

    def terms_at(self, gradients: Callable[[Tensor], Tensor], points: Tensor) -> dict[str, Tensor]:
        """The weighted penalty at the given points (B, *shape)."""
        penalty = self.penalty
        if penalty.gradient is None or self.weight == 0:
            return {}
        term = penalty.term_at.get(self.at or penalty.at, penalty.term)
        return {term: self.weight * penalty.gradient(gradients(points))}


PENALTIES: Mapping[str, Penalty] = {
    "none": Penalty(),
    "clip": Penalty(clips=True),
    "gradient": Penalty(gradient=gradient_penalty),
    "dragan": Penalty(gradient=gradient_penalty, points=_perturbed),
    "r1": Penalty(
        gradient=r1_penalty, at="data", term="r1",
        term_at={"fakes": "r2", "interpolates": "squared_slope"},
    ),
}
"""Name → penalty: a literal, since the choices are read from source (`fields.OneOf`)."""
