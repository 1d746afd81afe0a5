"""Expectation maximisation (Dempster et al., 1977, doi:10.1111/j.2517-6161.1977.tb01600.x)."""

from genbench.fields import Count
from genbench.models.base import Fit
from genbench.objectives.base import Batch, Draw, Noise, Objective, Player, Terms
from genbench.seeding import derive


class EM(Objective[Fit]):
    """Fits a model that can `fit`, in one go; there are no updates and no losses."""

    plays = ()
    cite = "dempster1977maximum"

    points: Count = 30000
    """Training data to fit to; a smaller training set is used several times over."""

    def players(self, model: Fit) -> list[Player]:
        return []

    def prepare(self, model: Fit, draw: Draw, noise: Noise) -> None:
        model.fit(draw(self.points, noise.child("data")).x, derive(noise.seed, "fit"))

    def loss(self, player: str, model: Fit, batch: Batch, noise: Noise) -> Terms:
        return {}
