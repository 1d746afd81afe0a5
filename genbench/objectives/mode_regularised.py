"""Mode-regularised GAN: adversarial training with an encoder, against missing modes (Che et al.,
2017, arXiv:1612.02136).

    model and encoder:  the model's loss + E_x [ λ₁ d(x, G(E(x))) − λ₂ log D(G(E(x))) ]

with d the mean squared error per dimension. With another loss pair the last term is that pair's.
"""

from genbench.fields import NonNegative
from genbench.models.base import Encoder
from genbench.nets.running_stats import frozen_running_stats
from genbench.objectives.base import Model, Terms
from genbench.objectives.gan.adversarial import AdversarialGame
from genbench.objectives.gan.auxiliary import AuxiliaryLoss, Round


class ModeRegularised(AdversarialGame):
    """A critic against a model with an encoder, with two regularisers of reconstructions."""

    requires = ("encoder",)
    refuses = (
        ({"condition": "projection"},
         "this critic sees no labels; leave condition out"),
    )
    cite = "che2017mode"
    version = 4
    changed = {2: {"minibatch_features": "> 0"}, 4: {"data": "images"}}

    rebuild: NonNegative = 0.2
    """λ₁ of the distance between data and their reconstructions."""
    mode: NonNegative = 0.4
    """λ₂ of the generator's loss on the reconstructions of data."""

    def build_heads(self, model: Model) -> list[AuxiliaryLoss]:
        """There is no network: the encoder is the model's."""
        return [_ModeRegularisers(self)]


class _ModeRegularisers(AuxiliaryLoss):
    """Both regularisers, for the model."""

    def __init__(self, game: ModeRegularised) -> None:
        self.game = game

    def terms(self, player: str, played: Round) -> Terms:
        if player == "critic":
            return {}
        game, model, x = self.game, played.model, played.batch.x
        assert isinstance(model, Encoder)
        with frozen_running_stats(model):  # evaluated samples are of the prior's latents only
            reconstruction = model.decode(model.encode(x))
        output = game.output(reconstruction, None, played.noise.child("again"))
        return {
            "rebuild": game.rebuild * (reconstruction - x).square().mean(),
            "mode": game.mode * game.pair.model(played.real.score, output.score),
        }
