"""300 times the mean training NLL of the last 500 updates: the unit of the thesis's tables.

The NLL of the training batches is on the scaled data; the log-determinant of standardisation, a
constant, converts it to raw points. It is a training loss, not a test score.
"""

from genbench.evaluation.base import Evidence, Metric, NotApplicable
from genbench.evaluation.metrics._curves import last_mean
from genbench.fields import Count


class NllBatch300(Metric):
    """Mean training NLL of the last updates, for a batch of 300 points."""

    values = {
        "nll_batch300": {
            "better": "lower", "tolerance": "6 per dimension", "unit": "nats/300",
            "title": "NLL × 300 (training)",
        },
    }
    kinds = ("points",)

    updates: Count = 500
    """The stretch of last updates that is averaged."""

    def measure(self, evidence: Evidence, sample_set: int = 0) -> dict[str, float]:
        mean = last_mean(evidence.curves, "model", "nll", self.updates)
        if mean is None:
            raise NotApplicable(f"no likelihood was trained in the last {self.updates} updates")
        std = evidence.scaling.std
        offset = float(std.double().log().sum()) if std is not None else 0.0
        return {"nll_batch300": 300 * (mean + offset)}

    def protocol(self, evidence: Evidence) -> str:
        return f"train-last{self.updates}"
