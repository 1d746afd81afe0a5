"""Adversarial training with an encoder that leads the model to every datum.

Tong Che, Yanran Li, Athul Paul Jacob, Yoshua Bengio, Wenjie Li: Mode Regularized Generative
Adversarial Networks, 2017, https://arxiv.org/abs/1612.02136

    model and encoder:  the model's loss + E_x [ λ₁ d(x, G(E(x))) − λ₂ log D(G(E(x))) ]

with d the mean squared error per dimension. With another loss pair the last term is that pair's.
"""

from __future__ import annotations

from genbench.fields import NonNegative
from genbench.models.base import Encoder, Model
from genbench.nets.critic import Look
from genbench.nets.moments import moments_kept
from genbench.noise import Noise
from genbench.objectives.adversarial import Adversarial, Fakes
from genbench.objectives.base import Batch, Terms

__all__ = ["ModeRegularised"]


class ModeRegularised(Adversarial):
    """A critic against a model with an encoder, which must rebuild the data and please it."""

    requires = ("encoder",)
    refuses = (
        ({"condition": "projection"},
         "this critic sees no labels; leave condition out"),
    )
    cite = "che2017mode"

    rebuild: NonNegative = 0.2
    """λ₁ of the distance between data and what the model makes of their codes."""
    mode: NonNegative = 0.4
    """λ₂ of the model's loss on what it makes of the data's codes."""

    def model_extras(
        self, model: Model, batch: Batch, real: Look, fake: Look, fakes: Fakes, noise: Noise
    ) -> Terms:
        """Both regularisers."""
        assert isinstance(model, Encoder)
        with moments_kept(model):  # samples are made of latents, not of the codes of data
            again = model.decode(model.encode(batch.x))
        seen = self.look(again, None, noise.child("again"))
        return {
            "rebuild": self.rebuild * (again - batch.x).square().mean(),
            "mode": self.mode * self.pair.model(real.score, seen.score),
        }
