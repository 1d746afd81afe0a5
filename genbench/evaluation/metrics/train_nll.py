"""The NLL of the training batches at the end of training, beside that of the test data.

In the unit of `nll`: nats per example, on the raw scale of points and the [0, 1] scale of images,
where the scaling's log-determinant is one constant. A mean over the last updates, so with moving
parameters and, in training mode, the batch statistics of nets that have them.
"""

from __future__ import annotations

from typing import ClassVar

import torch

from genbench.errors import NotApplicable
from genbench.evaluation._base import Metric
from genbench.evaluation.evidence import Evidence
from genbench.evaluation.metrics._curves import last_mean
from genbench.evaluation.metrics._likelihood import finite_mean
from genbench.fields import Count

__all__ = ["TrainNll"]


class TrainNll(Metric):
    """Mean training NLL of the last updates, and by how much the test NLL is above it."""

    values: ClassVar[dict[str, dict[str, str]]] = {
        "train_nll": {"better": "lower", "unit": "nats", "title": "training NLL"},
        "generalisation_gap": {"better": "lower", "unit": "nats", "title": "test − training NLL"},
    }
    needs: ClassVar[tuple[str, ...]] = ("density",)

    updates: Count = 500
    """The stretch of last updates that is averaged."""

    def measure(self, evidence: Evidence, sample_set: int = 0) -> dict[str, float]:
        """Both numbers."""
        mean = last_mean(
            evidence.curves, "model", lambda term: term.split(".")[0] == "nll", self.updates
        )
        if mean is None:
            raise NotApplicable(f"no likelihood was trained in the last {self.updates} updates")
        if evidence.scaling.scale == "logit":
            raise NotApplicable("the training NLL is of logits, which no constant brings back")
        one = torch.zeros(1, *evidence.data.shape)
        train = mean - float(evidence.scaling.log_det(one)[0])
        test = finite_mean(-evidence.test_log_prob(), "test log likelihoods")
        return {"train_nll": train, "generalisation_gap": test - train}

    def protocol(self, evidence: Evidence) -> str:
        """The stretch that is averaged."""
        return f"train-last{self.updates}"
