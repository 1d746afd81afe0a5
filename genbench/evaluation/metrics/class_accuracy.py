"""Accuracy of the pinned classifier on class-conditional samples.

The model is conditioned on classes in the proportions of the training labels. Of a semi-supervised
InfoGAN, whose first code is trained to be the class, the target is that code; of the real row, its
labels.
"""

from genbench.evaluation.base import Evidence, Metric, NotApplicable
from genbench.evaluation.codes import sample_classes, sample_codes
from genbench.fields import Literal
from genbench.models.base import LatentCodes


class ClassAccuracy(Metric):
    """Share of samples that the classifier names as the class that was asked for."""

    values = {
        "class_accuracy": {"better": "higher", "tolerance": "0.02", "title": "class accuracy"},
    }
    kinds = ("images",)
    needs = ("labels",)
    sampled = True

    extractor: Literal["auto", "classifier"] = "auto"
    """The network that names the class; `auto` learns one for grey (and stacked) images alone."""

    def measure(self, evidence: Evidence, sample_set: int = 0) -> dict[str, float]:
        named, classes = sample_classes(evidence, self.extractor, sample_set)
        asked = evidence.sample_labels(sample_set)
        if asked is None and isinstance(evidence.model, LatentCodes):
            if evidence.model.categories[:1] != [classes]:
                raise NotApplicable(f"the first code has not the {classes} values of the classes")
            asked = sample_codes(evidence, sample_set, len(named))[:, 0].long()
        if asked is None:
            raise NotApplicable("the model takes no labels")
        return {"class_accuracy": float((named == asked).double().mean())}

    def protocol(self, evidence: Evidence) -> str:
        return evidence.label(self.extractor, "", evidence.count)
