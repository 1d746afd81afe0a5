"""InfoGAN guided by some labels (Spurr et al., 2017, arXiv:1707.04487).

    min_{G,Q} max_D  V(D, G) − λ L_I − λ_s E_labelled log Q(c₁ = y ∣ x)

The labelled rows are a fixed random draw of the training data; their labels are all that is used.
"""

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from genbench.errors import GenbenchError
from genbench.fields import Count, NonNegative
from genbench.objectives.base import Draw, Model, Noise, Terms
from genbench.objectives.gan.adversarial import AdversarialGame
from genbench.objectives.gan.auxiliary import AuxiliaryLoss, Round
from genbench.objectives.infogan import CodeHead, CodeOptions, reader_of


class InfoGANSemi(CodeOptions, AdversarialGame):
    """A critic that predicts the codes, the first of them the class as some labels say."""

    requires = ("latent_codes",)
    labelled = True
    at_most_rows = ("reference", "labels")
    cite = "spurr2017guiding"

    labels: Count = 100
    """Training rows whose labels are known."""
    supervision: NonNegative = 1.0
    """λ_s of the labelled rows in the critic's loss."""

    def build_heads(self, model: Model) -> list[AuxiliaryLoss]:
        """Refuses a first code that has not as many values as there are classes."""
        self.reader = reader_of(model, self.network, self.head_width)
        codes, classes = CodeHead(self, model, self.network, self.reader), model.space.classes
        if codes.values[:1] != [classes]:
            raise GenbenchError(
                f"infogan_semi: the first code becomes the class, of which there are {classes}; "
                f"give the model categories: [{classes}]"
            )
        self.register_buffer("known_x", torch.zeros(self.labels, *model.space.shape))
        self.register_buffer("known_y", torch.zeros(self.labels, dtype=torch.int64))
        return [codes, _Supervision(self, codes)]

    def prepare(self, model: Model, draw: Draw, noise: Noise) -> None:
        super().prepare(model, draw, noise)
        batch = draw(self.labels, noise.child("labelled"))
        assert batch.labels is not None
        self.get_buffer("known_x").copy_(batch.x)
        self.get_buffer("known_y").copy_(batch.labels)


class _Supervision(AuxiliaryLoss):
    """−λ_s E log Q(y ∣ x) over as many labelled rows as the batch has, for the critic."""

    def __init__(self, game: InfoGANSemi, codes: CodeHead) -> None:
        self.game, self.codes = game, codes

    def terms(self, player: str, played: Round) -> Terms:
        if player == "model":
            return {}
        game, noise = self.game, played.noise
        rows = noise.integers("labelled", game.labels, min(len(played.batch), game.labels))
        x: Tensor = game.get_buffer("known_x")[rows]
        output = game.output(x, None, noise.child("known"))
        logits = self.codes.category_logits(game.reader(output.features))[0]
        entropy = cross_entropy(logits, game.get_buffer("known_y")[rows])
        return {"supervision": game.supervision * entropy}
