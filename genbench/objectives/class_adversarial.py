"""Adversarial training whose critic sorts data into their C classes, and samples into one more.

Tim Salimans, Ian Goodfellow, Wojciech Zaremba, Vicki Cheung, Alec Radford, Xi Chen: Improved
Techniques for Training GANs, 2016, https://arxiv.org/abs/1606.03498

    critic:  − E log P(y ∣ x, y ≤ C) − E log(1 − P(C + 1 ∣ x)) − E log P(C + 1 ∣ G(z))

With the logit of the class C + 1 fixed to 0, which loses nothing, 1 − P(C + 1 ∣ x) = D(x) has the
logit log Σ_y exp(l_y), which the loss pair takes.
"""

from __future__ import annotations

from torch.nn.functional import cross_entropy

from genbench.fields import NonNegative
from genbench.models.base import Model
from genbench.nets.critic import Look
from genbench.noise import Noise
from genbench.objectives.adversarial import Adversarial, Fakes
from genbench.objectives.base import Batch, Terms

__all__ = ["ClassAdversarial"]


class ClassAdversarial(Adversarial):
    """A critic of C + 1 classes, the last of which is for samples, against the model."""

    labelled = True
    ignores_labels = True
    refuses = (
        ({"condition": "projection"},
         "this critic is not told the label, by which it sorts data; leave condition out"),
    )
    cite = "salimans2016improved"

    class_weight: NonNegative = 1.0
    """Weight of the classes' term in the critic's loss."""

    def classes_seen(self, model: Model) -> int:
        """None: the critic tells the classes apart, and is not told them."""
        return 0

    def outputs(self, model: Model) -> int:
        """A logit for each class of the data."""
        return model.space.classes

    def critic_extras(
        self, model: Model, batch: Batch, real: Look, fake: Look, fakes: Fakes, noise: Noise
    ) -> Terms:
        """−E log P(y ∣ x, y ≤ C)."""
        assert batch.labels is not None
        return {"class_real": self.class_weight * cross_entropy(real.logits, batch.labels)}
