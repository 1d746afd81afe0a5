"""The mean squared error of decode(encode(x)), on the [0, 1] scale of images and the raw scale of
points.
"""

import torch

from genbench.evaluation.base import Evidence, Metric, NotApplicable
from genbench.evaluation.metrics._likelihood import limited, rows_used
from genbench.fields import Natural
from genbench.models.base import Encoder, conditioning

_BATCH = 500


class Reconstruction(Metric):
    """Mean squared error per dimension of test rows passed through the model's code."""

    values = {"reconstruction_error": {"better": "lower", "title": "reconstruction MSE"}}
    needs = ("encoder",)

    points: Natural = 0
    """Test rows, a fixed random choice; 0 takes all."""

    def measure(self, evidence: Evidence, sample_set: int = 0) -> dict[str, float]:
        model, scaling = evidence.model, evidence.scaling
        if not isinstance(model, Encoder):
            raise NotApplicable("the model has no encoder")
        likelihood, total, count = evidence.likelihood(), 0.0, 0
        natural = scaling.unit if evidence.data.kind == "images" else scaling.inverse
        for index in evidence.order("test")[:limited(self.points, evidence)].split(_BATCH):
            x = likelihood.scaled(index)
            with torch.no_grad():
                given = conditioning(model, likelihood.context(index))
                again = model.decode(model.encode(x, **given), **given).reshape(x.shape)
            total += float((natural(again) - natural(x)).double().square().sum())
            count += x.numel()
        return {"reconstruction_error": total / count}

    def protocol(self, evidence: Evidence) -> str:
        return rows_used(evidence, self.points)
