"""Adversarial training whose critic also names the class, of data and of samples.

Augustus Odena, Christopher Olah, Jonathon Shlens: Conditional Image Synthesis with Auxiliary
Classifier GANs, 2017, https://arxiv.org/abs/1610.09585

    critic:  the critic's loss − E log P(c ∣ x) − E log P(c ∣ G(z, c))
    model:   the model's loss − E log P(c ∣ G(z, c))

The critic itself does not see the labels: the classifier, a second head, carries them.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from genbench.fields import NonNegative
from genbench.models.base import Model
from genbench.nets.critic import Look
from genbench.noise import Noise
from genbench.objectives.adversarial import Adversarial, Fakes
from genbench.objectives.base import Batch, Terms

__all__ = ["AuxiliaryClassifier"]


class AuxiliaryClassifier(Adversarial):
    """A critic that also names the class, against a class-conditional model."""

    requires = ("conditional",)
    labelled = True
    refuses = (
        ({"condition": "projection"},
         "this critic is not told the label, which its classifier names; leave condition out"),
    )
    cite = "odena2017conditional"

    class_weight: NonNegative = 1.0
    """Weight of the classifier's terms in both losses."""

    def build_heads(self, model: Model) -> None:
        """Make the classifier on the critic's features."""
        self.classifier = nn.Linear(self.network.features, model.space.classes)

    def classes_seen(self, model: Model) -> int:
        """None: the critic judges without the label."""
        return 0

    def critic_extras(
        self, model: Model, batch: Batch, real: Look, fake: Look, fakes: Fakes, noise: Noise
    ) -> Terms:
        """−E log P(c ∣ x) of data and of samples."""
        return {
            "class_real": self._named(real, self._labels(batch)),
            "class_fake": self._named(fake, fakes.labels),
        }

    def model_extras(
        self, model: Model, batch: Batch, real: Look, fake: Look, fakes: Fakes, noise: Noise
    ) -> Terms:
        """−E log P(c ∣ G(z, c))."""
        return {"class_fake": self._named(fake, fakes.labels)}

    def _named(self, look: Look, labels: Tensor | None) -> Tensor:
        assert labels is not None
        return self.class_weight * cross_entropy(self.classifier(look.features), labels)
