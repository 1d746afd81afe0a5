"""Cluster purity of a categorical code with respect to classes, learned without labels.

    purity = (1/N) Σ_v max_y #{samples of code v that are classified as y}

Of several categorical codes the purest counts. 1: every value of the code generates samples of one
class (several values possibly of the same); about 1/K: code and class are independent. Manning et
al., Introduction to Information Retrieval, 2008, section 16.3.
"""

import torch
from torch import Tensor

from genbench.evaluation.base import Evidence, Metric
from genbench.evaluation.codes import code_values, sample_classes, sample_codes
from genbench.fields import Literal


def purity(code: Tensor, classes: Tensor) -> float:
    """The fraction of rows whose class (N,) is the majority class of their code (N,), int64."""
    counts = torch.zeros(int(code.max()) + 1, int(classes.max()) + 1)
    counts.index_put_((code, classes), torch.ones(len(code)), accumulate=True)
    return float(counts.max(1).values.sum()) / len(code)


class CodePurity(Metric):
    """Share of samples that look like the commonest class of their code's value."""

    values = {"code_purity": {"better": "higher", "tolerance": "0.02", "title": "code purity"}}
    needs = ("latent_codes",)
    sampled = True

    extractor: Literal["auto", "classifier"] = "auto"
    """The network that names the class of an image; `auto` learns one for grey (and stacked)
    images alone. Points are of their nearest mode."""

    def measure(self, evidence: Evidence, sample_set: int = 0) -> dict[str, float]:
        values = code_values(evidence)
        classes, _ = sample_classes(evidence, self.extractor, sample_set)
        codes = sample_codes(evidence, sample_set, len(classes))
        found = [purity(codes[:, k].long(), classes) for k in range(len(values))]
        return {"code_purity": max(found)}

    def protocol(self, evidence: Evidence) -> str:
        if evidence.data.kind == "points":
            return f"nearest-mode-{evidence.count}"
        return evidence.label(self.extractor, "", evidence.count)
