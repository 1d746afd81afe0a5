"""The NLL of the training batches at the end of training, and the generalisation gap.

`train_nll` is the training loss: a mean over the last updates, while parameters change and batch
norm uses batch statistics. `generalisation_gap` is of the evaluated model: its NLL of the test
rows minus that of as many training rows. Both are in the unit of `nll`, where the scaling's
log-determinant is constant (that of logits is not).
"""

import torch

from genbench.evaluation.base import Evidence, Metric, NotApplicable, count_name
from genbench.evaluation.metrics._curves import last_mean
from genbench.evaluation.metrics._likelihood import finite_mean
from genbench.fields import Count

_ROWS = 10_000
"""Training rows of the gap at most."""


class TrainNll(Metric):
    """Mean training NLL of the last updates, and the test NLL minus that of training rows."""

    values = {
        "train_nll": {
            "better": "lower", "tolerance": "0.02 per dimension", "unit": "nats",
            "title": "training NLL",
        },
        "generalisation_gap": {"better": "none", "unit": "nats", "title": "test − training NLL"},
    }
    needs = ("density",)
    version = 2

    updates: Count = 500
    """The stretch of last updates whose training NLL is averaged."""

    def measure(
        self, evidence: Evidence, sample_set: int = 0
    ) -> dict[str, float | NotApplicable]:
        values: dict[str, float | NotApplicable] = {}
        for name, number in (("train_nll", self._trained), ("generalisation_gap", self._gap)):
            try:
                values[name] = number(evidence)
            except NotApplicable as why:
                values[name] = why
        return values

    def _trained(self, evidence: Evidence) -> float:
        mean = last_mean(evidence.curves, "model", "nll", self.updates)
        if mean is None:
            raise NotApplicable(f"no likelihood was trained in the last {self.updates} updates")
        if evidence.scaling.scale == "logit":
            raise NotApplicable("the training NLL is of logits, which no constant brings back")
        one = torch.zeros(1, *evidence.data.shape)
        return -float(evidence.likelihood().in_unit(torch.tensor([-mean]), one)[0])

    def _gap(self, evidence: Evidence) -> float:
        rows = _rows(evidence)
        if not rows:
            raise NotApplicable("training points are fresh in every batch: no gap to test points")
        train = finite_mean(-evidence.likelihood().exact("train", rows), "train log likelihoods")
        return finite_mean(-evidence.test_log_prob(), "test log likelihoods") - train

    def protocol(self, evidence: Evidence) -> str:
        rows = _rows(evidence)
        return f"train-last{self.updates}" + (f"-{count_name(rows)}rows" if rows else "")


def _rows(evidence: Evidence) -> int:
    """Training rows that the test rows are compared with; 0 where batches are fresh draws."""
    train = evidence.data.train
    return 0 if train is None else min(_ROWS, len(train), len(evidence.data.test))
