"""The log determinant of a flow's Jacobian by autograd, at 200 test points.

It is held against the one that the flow reports. Additive couplings (Dinh et al., 2014,
arXiv:1410.8516) keep volumes: all that is left of the determinant is the scaling of the
coordinates, the same at every point.
"""

import torch
from torch import Tensor

from genbench.evaluation.base import Evidence, Metric, NotApplicable
from genbench.models._flow import FlowModel
from genbench.noise import Noise

_POINTS = 200


class LogDeterminant(Metric):
    """How the log determinant of a flow varies over the data, and how far it is reported wrong."""

    cite = "dinh2014nice"
    values = {
        "log_det_spread": {"better": "none", "unit": "nats", "title": "log |det|, std over data"},
        "log_det_error": {"better": "none", "unit": "nats", "title": "log |det|, largest error"},
    }
    kinds = ("points",)
    needs = ("density",)

    def measure(self, evidence: Evidence, sample_set: int = 0) -> dict[str, float]:
        model = evidence.model
        if not isinstance(model, FlowModel):
            raise NotApplicable("the model is no flow")
        rows = evidence.reference("test", min(_POINTS, len(evidence.data.test)))
        x = evidence.scaling.forward(rows.to(evidence.device), Noise(0, evidence.device))
        exact, reported = _jacobian_log_det(model, x), model.to_base(x)[1].detach().double()
        return {
            "log_det_spread": float(exact.std(correction=0)),
            "log_det_error": float((exact - reported).abs().max()),
        }

    def protocol(self, evidence: Evidence) -> str:
        return f"{min(_POINTS, len(evidence.data.test))}-test"


def _jacobian_log_det(model: FlowModel, x: Tensor) -> Tensor:
    """log |det ∂z/∂x| (B,) float64 at x (B, D), by one backward pass for each coordinate."""
    x = x.detach().requires_grad_()
    with torch.enable_grad():
        z, _ = model.to_base(x)
        rows = [torch.autograd.grad(z[:, d].sum(), x, retain_graph=True)[0]
                for d in range(z.shape[1])]
    return torch.linalg.slogdet(torch.stack(rows, 1).double()).logabsdet
