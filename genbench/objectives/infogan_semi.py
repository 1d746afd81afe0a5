"""InfoGAN guided by some labels, so that its first code becomes the class.

Adrian Spurr, Emre Aksan, Otmar Hilliges: Guiding InfoGAN with Semi-Supervision, 2017,
https://arxiv.org/abs/1707.04487

    min_{G,Q} max_D  V(D, G) − λ L_I − λ_s E_labelled log Q(c₁ = y ∣ x)

The labelled rows are a fixed random draw of the training data; their labels are all that is used.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from genbench.errors import GenbenchError
from genbench.fields import Count, NonNegative
from genbench.models.base import Model
from genbench.nets.critic import Look
from genbench.noise import Noise
from genbench.objectives.adversarial import Fakes
from genbench.objectives.base import Batch, Draw, Terms
from genbench.objectives.infogan import InfoGAN

__all__ = ["InfoGANSemi"]


class InfoGANSemi(InfoGAN):
    """A critic that reads the codes, taught by some labels that the first code is the class."""

    labelled = True
    at_most_rows = ("reference", "labels")
    cite = "spurr2017guiding"

    labels: Count = 100
    """Training rows whose labels are known."""
    supervision: NonNegative = 1.0
    """λ_s of the labelled rows in the critic's loss."""

    def build_heads(self, model: Model) -> None:
        """Make Q, and room for the labelled rows.

        Raises:
            GenbenchError: a first code that has not as many values as there are classes.
        """
        super().build_heads(model)
        classes = model.space.classes
        if self.values[:1] != [classes]:
            raise GenbenchError(
                f"infogan_semi: the first code becomes the class, of which there are {classes}; "
                f"give the model categories: [{classes}]"
            )
        self.register_buffer("known_x", torch.zeros(self.labels, *model.space.shape))
        self.register_buffer("known_y", torch.zeros(self.labels, dtype=torch.int64))

    def prepare(self, model: Model, draw: Draw, noise: Noise) -> None:
        """Draw the labelled rows."""
        super().prepare(model, draw, noise)
        batch = draw(self.labels, noise.child("labelled"))
        assert batch.labels is not None
        self.get_buffer("known_x").copy_(batch.x)
        self.get_buffer("known_y").copy_(batch.labels)

    def critic_extras(
        self, model: Model, batch: Batch, real: Look, fake: Look, fakes: Fakes, noise: Noise
    ) -> Terms:
        """InfoGAN's terms, and −λ_s E log Q(y ∣ x) over as many labelled rows as the batch has."""
        rows = noise.integers("labelled", self.labels, min(len(batch), self.labels))
        x: Tensor = self.get_buffer("known_x")[rows]
        seen = self.look(x, None, noise.child("known"))
        first = self.category_logits(self.reader(seen.features))[0]
        taught = cross_entropy(first, self.get_buffer("known_y")[rows])
        own = super().critic_extras(model, batch, real, fake, fakes, noise)
        return {**own, "supervision": self.supervision * taught}
