"""Of objectives with `model_gradient: true`, which log its norm at every update of a critic that
trains alone. In Arjovsky, Bottou, 2017, arXiv:1701.04862, it vanishes as the critic gets better.
"""

from genbench.evaluation.base import Evidence, Metric, NotApplicable
from genbench.evaluation.metrics._curves import last_mean
from genbench.fields import Count

_TERM = "model_gradient"


class ModelGradient(Metric):
    """Mean norm of the model's gradient over the first and over the last updates."""

    cite = "arjovsky2017towards"
    values = {
        "model_gradient": {"better": "none", "title": "model's gradient, at the end"},
        "model_gradient_start": {"better": "none", "title": "model's gradient, at the start"},
    }
    needs = ("critic",)

    updates: Count = 50
    """The stretches of first and of last updates that are averaged."""

    def measure(self, evidence: Evidence, sample_set: int = 0) -> dict[str, float]:
        rows = [row for row in evidence.curves if row["term"] == _TERM]
        end = last_mean(rows, "watched", None, self.updates)
        early = [row for row in rows if int(row["update"]) <= self.updates] or rows[:1]
        if end is None or not early:
            raise NotApplicable("no critic noted it: add model_gradient: true to its options")
        start = last_mean(early, "watched", None, self.updates)
        assert start is not None
        return {"model_gradient": end, "model_gradient_start": start}

    def protocol(self, evidence: Evidence) -> str:
        return f"train-{self.updates}updates"
