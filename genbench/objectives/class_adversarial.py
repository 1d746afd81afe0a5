"""Adversarial training whose discriminator has C + 1 classes (Salimans et al., 2016,
arXiv:1606.03498).

    critic:  − E log P(y ∣ x, y ≤ C) − E log(1 − P(C + 1 ∣ x)) − E log P(C + 1 ∣ G(z))

With the logit of the class C + 1 fixed to 0, which loses nothing, 1 − P(C + 1 ∣ x) = D(x) has the
logit log Σ_y exp(l_y), which the loss pair takes.
"""

from torch.nn.functional import cross_entropy

from genbench.fields import NonNegative
from genbench.objectives.base import Model, Terms
from genbench.objectives.gan.adversarial import AdversarialGame
from genbench.objectives.gan.auxiliary import AuxiliaryLoss, Round


class ClassAdversarial(AdversarialGame):
    """A critic of C + 1 classes, the last of which is for samples, against the model."""

    labelled = True
    ignores_labels = True
    sees_labels = False
    refuses = (
        ({"condition": "projection"},
         "this critic is not conditioned on the label, which it predicts; leave condition out"),
    )
    cite = "salimans2016improved"

    class_weight: NonNegative = 1.0
    """Weight of the classes' term in the critic's loss."""

    def logits(self, model: Model) -> int:
        return model.space.classes

    def build_heads(self, model: Model) -> list[AuxiliaryLoss]:
        """None: the critic's own logits are those of the classes."""
        return [_ClassesOfData(self.class_weight)]


class _ClassesOfData(AuxiliaryLoss):
    """−E log P(y ∣ x, y ≤ C), for the critic."""

    def __init__(self, weight: float) -> None:
        self.weight = weight

    def terms(self, player: str, played: Round) -> Terms:
        if player == "model":
            return {}
        assert played.batch.labels is not None
        entropy = cross_entropy(played.real.logits, played.batch.labels)
        return {"class_real": self.weight * entropy}
