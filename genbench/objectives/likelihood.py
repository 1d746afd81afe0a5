"""Maximum likelihood: the mean of −log p(x), nats (Fisher, 1922, doi:10.1098/rsta.1922.0009)."""

from genbench.fields import Count
from genbench.models.base import Density, conditioning
from genbench.objectives.base import Batch, Draw, Noise, Objective, Terms


class Likelihood(Objective[Density]):
    """Minimises the negative log density of the data, exactly."""

    cite = "fisher1922mathematical"

    start_points: Count = 2000
    """Training data for the data-dependent initialisation of the model (a mixture's k-means)."""

    def prepare(self, model: Density, draw: Draw, noise: Noise) -> None:
        self.initialise(model, draw, noise, self.start_points)

    def loss(self, player: str, model: Density, batch: Batch, noise: Noise) -> Terms:
        return {"nll": -model.log_prob(batch.x, **conditioning(model, batch.labels)).mean()}
