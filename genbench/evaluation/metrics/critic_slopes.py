"""What theory says of a critic's slope, on the scaled data that it is trained on:

- an optimal critic of slope 1 at most has slope 1 along the lines of the optimal coupling
  (Gulrajani et al., 2017, arXiv:1704.00028, proposition 1);
- no slope is above the product of the spectral norms of its layers (Miyato et al., 2018,
  arXiv:1802.05957).

The coupling is that of 500 samples and as many test points; the critic's value is its mean over
the test points less its mean over the samples, which of the optimal critic is W₁.
"""

import torch
from torch import Tensor

from genbench.evaluation.base import Evidence, Metric, NotApplicable
from genbench.evaluation.critic import CriticView

_ROWS = 500
_PLACES = (0.1, 0.3, 0.5, 0.7, 0.9)
"""Where on a line of the coupling the slope is taken."""


class CriticSlopes(Metric):
    """The critic's value, its slope between samples and data, and the bound of its slope."""

    cite = "gulrajani2017improved miyato2018spectral"
    values = {
        "critic_value": {"better": "none", "title": "critic's value"},
        "coupling_slope": {"better": "none", "title": "slope on the coupling"},
        "largest_slope": {"better": "none", "title": "largest slope"},
        "slope_bound": {"better": "none", "title": "product of spectral norms"},
    }
    kinds = ("points",)
    needs = ("critic",)

    def measure(
        self, evidence: Evidence, sample_set: int = 0
    ) -> dict[str, float | NotApplicable]:
        critic = evidence.critic
        if critic is None:
            raise NotApplicable("no critic was trained")
        rows = min(_ROWS, len(evidence.data.test))
        x, y = evidence.samples(0, rows), evidence.reference("test", rows)
        slopes = critic.slopes(_coupling_lines(x, y), evidence.scaling, evidence.device)
        ends = critic.slopes(torch.cat((x, y)), evidence.scaling, evidence.device)
        value = [
            critic.at(each, evidence.scaling, evidence.device).double().mean() for each in (x, y)
        ]
        return {
            "critic_value": float(value[1] - value[0]),
            "coupling_slope": float(slopes.mean()),
            "largest_slope": float(torch.cat((slopes, ends)).max()),
            "slope_bound": _bound(critic),
        }

    def protocol(self, evidence: Evidence) -> str:
        return f"{min(_ROWS, len(evidence.data.test))}-test"


def _coupling_lines(x: Tensor, y: Tensor) -> Tensor:
    """Points on the lines between x and y (N, D) that the best assignment pairs."""
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(torch.cdist(x.double(), y.double()).numpy())
    x, y = x[rows], y[columns]
    return torch.cat([torch.lerp(x, y, place) for place in _PLACES])


def _bound(critic: CriticView) -> float | NotApplicable:
    if not critic.matrices:
        return NotApplicable("the critic has layers that are not linear")
    norms = [torch.linalg.matrix_norm(each.double(), 2) for each in critic.matrices]
    return float(torch.stack(norms).prod())
