"""Adversarial training whose discriminator also classifies, data and samples (Odena et al., 2017,
arXiv:1610.09585).

    critic:  the critic's loss − E log P(c ∣ x) − E log P(c ∣ G(z, c))
    model:   the model's loss − E log P(c ∣ G(z, c))

The critic itself is not conditioned on the labels: the classifier is a second head.
"""

from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from genbench.fields import NonNegative
from genbench.nets.critic import CriticOutput
from genbench.objectives.base import Model, Terms
from genbench.objectives.gan.adversarial import AdversarialGame
from genbench.objectives.gan.auxiliary import AuxiliaryLoss, Round


class AuxiliaryClassifier(AdversarialGame):
    """A critic that also classifies, against a class-conditional model."""

    requires = ("conditional",)
    labelled = True
    sees_labels = False
    refuses = (
        ({"condition": "projection"},
         "this critic is not conditioned on the label, which it predicts; leave condition out"),
    )
    cite = "odena2017conditional"
    version = 2
    changed = {2: {"minibatch_features": "> 0"}}

    class_weight: NonNegative = 1.0
    """Weight of the classifier's terms in both losses."""

    def build_heads(self, model: Model) -> list[AuxiliaryLoss]:
        self.classifier = nn.Linear(self.network.features, model.space.classes)
        return [_ClassHead(self.classifier, self.class_weight)]


class _ClassHead(AuxiliaryLoss):
    """−E log P(c ∣ x): of data and samples for the critic, of samples for the model."""

    def __init__(self, classifier: nn.Module, weight: float) -> None:
        self.classifier, self.weight = classifier, weight

    def terms(self, player: str, played: Round) -> Terms:
        fake = self._cross_entropy(played.fake, played.fakes.labels)
        if player == "model":
            return {"class_fake": fake}
        return {
            "class_real": self._cross_entropy(played.real, played.batch.labels),
            "class_fake": fake,
        }

    def _cross_entropy(self, output: CriticOutput, labels: Tensor | None) -> Tensor:
        assert labels is not None
        return self.weight * cross_entropy(self.classifier(output.features), labels)
