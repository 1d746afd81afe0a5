"""What the learned scales of NICE (Dinh et al., 2014, arXiv:1410.8516) say of its coordinates.

    z = S ⊙ f(x)

A coordinate is as important as the data that are lost with it: the root mean square of what
changes in 500 test points where its z is set to 0, and the flow inverted. The paper reads S as
inverse singular values: the larger it is, the less the coordinate matters, which is a rank
correlation of −1 (Spearman). Of independent Gaussian coordinates, the same flow without couplings
has S = 1/σ.
"""

import numpy as np
import torch

from genbench.evaluation.base import Evidence, Metric, NotApplicable
from genbench.models.nice import NICE
from genbench.noise import Noise

_ROWS = 500


def rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Spearman's correlation of values (N,)."""
    from scipy.stats import rankdata

    return float(np.corrcoef(rankdata(a), rankdata(b))[0, 1])


class ScaleImportance(Metric):
    """Rank correlation of a flow's learned scales with what is lost without each coordinate."""

    cite = "dinh2014nice"
    values = {
        "scale_importance": {"better": "none", "title": "rank correlation of S and importance"},
    }
    needs = ("density",)

    def measure(self, evidence: Evidence, sample_set: int = 0) -> dict[str, float]:
        model = evidence.model
        if not isinstance(model, NICE):
            raise NotApplicable("the model has no learned scales")
        rows = evidence.reference("test", min(_ROWS, len(evidence.data.test)))
        x = evidence.scaling.forward(rows.to(evidence.device), Noise(0, evidence.device))
        with torch.no_grad():
            z, _ = model.to_base(x)
            lost = []
            for d in range(z.shape[1]):
                without = z.clone()
                without[:, d] = 0
                change = (model.from_base(without) - x).flatten(1).double()
                lost.append(float(change.square().sum(1).mean().sqrt()))
        return {"scale_importance": rank_correlation(
            model.log_scales().double().cpu().numpy(), np.array(lost))}

    def protocol(self, evidence: Evidence) -> str:
        return f"{min(_ROWS, len(evidence.data.test))}-test"
