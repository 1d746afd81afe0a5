"""At the optimal discriminator D* = p / (p + q), with q the model's density and p the true one,

    ∇ E_q[−log D*] = ∇ [KL(q ‖ p) − 2 JS(p, q)]      non-saturating
    ∇ E_q[log(1 − D*)] = ∇ [2 JS(p, q)]              minimax

with D* fixed on the left (Arjovsky, Bottou, 2017, arXiv:1701.04862, theorem 2.5). The left sides
are taken through samples, the right ones through the density on a grid: two ways that share
nothing but p and q. A gap is the norm of the difference over that of the right side.
"""

import copy
from collections.abc import Callable

import torch
from torch import Tensor

from genbench.evaluation.base import Evidence, Metric, NotApplicable
from genbench.evaluation.metrics._quadrature import density_grid
from genbench.models.base import Density, Model
from genbench.noise import Noise

_SAMPLES = 100_000


class GeneratorGradients(Metric):
    """Gradients of the generator's losses at the optimal discriminator, against divergences'."""

    cite = "arjovsky2017towards"
    values = {
        "non_saturating_gap": {"better": "none", "title": "−log D* against KL − 2 JS, gradients"},
        "minimax_gap": {"better": "none", "title": "log(1 − D*) against 2 JS, gradients"},
    }
    kinds = ("points",)
    needs = ("density", "truth")

    def measure(self, evidence: Evidence, sample_set: int = 0) -> dict[str, float]:
        model = evidence.model
        if not isinstance(model, Model) or not isinstance(model, Density):
            raise NotApplicable("the data have no parameters")
        if evidence.scaling.scale != "raw":
            raise NotApplicable("gradients are taken on raw points; set scale: raw")
        grid = density_grid(evidence)
        log_p = grid.log_p.to(evidence.device)

        def divergences() -> tuple[Tensor, Tensor]:
            log_q = model.log_prob(grid.points.to(evidence.device)).double()
            log_m = torch.logaddexp(log_p, log_q) - torch.log(torch.tensor(2.0))
            q, p = log_q.exp(), log_p.exp()
            twice = (p * (log_p - log_m) + q * (log_q - log_m)).sum()
            return (q * (log_q - log_p)).sum() - twice, twice

        with torch.enable_grad():
            losses = _losses(model, evidence)
            exact = [grid.volume * each for each in divergences()]
            pairs = zip(losses, exact, strict=True)
            gaps = [_gap(_gradient(model, a), _gradient(model, b)) for a, b in pairs]
        return {"non_saturating_gap": gaps[0], "minimax_gap": gaps[1]}

    def protocol(self, evidence: Evidence) -> str:
        return f"{_SAMPLES // 1000}k-samples-quadrature"


def _losses(model: Model, evidence: Evidence) -> tuple[Tensor, Tensor]:
    """−E log D* and E log(1 − D*) over samples, with D* fixed."""
    truth, fixed = evidence.data.truth, copy.deepcopy(model).requires_grad_(False)
    assert truth is not None
    assert isinstance(fixed, Density)
    noise = Noise(evidence.noise.child("generator gradients").seed, evidence.device)
    x = model.generate(_SAMPLES, noise)
    log_density: Callable[[Tensor], Tensor] = truth.log_prob
    logit = log_density(x) - fixed.log_prob(x).double()  # of D*
    return (torch.nn.functional.softplus(-logit).mean(),
            -torch.nn.functional.softplus(logit).mean())


def _gradient(model: Model, loss: Tensor) -> Tensor:
    """The gradient over all parameters, flat."""
    parameters = [each for each in model.parameters() if each.requires_grad]
    found = torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True)
    return torch.cat([
        (torch.zeros_like(parameter) if gradient is None else gradient).flatten().double()
        for parameter, gradient in zip(parameters, found, strict=True)
    ])


def _gap(found: Tensor, exact: Tensor) -> float:
    """The norm of the difference over that of the exact gradient."""
    return float((found - exact).norm() / exact.norm())
