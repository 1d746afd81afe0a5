"""Each component of a mixture learns from its own part of the data: a start for joint training."""

from abc import abstractmethod

from torch import Tensor

from genbench.models.base import Mixture
from genbench.models.mixture import MixtureModel
from genbench.objectives.base import Batch, Draw, Noise, Objective, Player, Terms


class ByPart(Objective[Mixture]):
    """Maximum likelihood of each component on its own part; the weights are frozen."""

    requires = ("density",)
    cite = "gong2017wasserstein"

    @abstractmethod
    def part(self, model: MixtureModel, batch: Batch) -> Tensor:
        """The component (B,) int64 that each example belongs to."""

    def prepare(self, model: Mixture, draw: Draw, noise: Noise) -> None:
        """Initialise the components from the data now: a later stage would undo the training."""
        self.initialise(model, draw, noise)

    def players(self, model: Mixture) -> list[Player]:
        groups = {name: group for name, group in model.groups().items() if name != "weights"}
        return [Player("model", groups)]

    def loss(self, player: str, model: Mixture, batch: Batch, noise: Noise) -> Terms:
        assert isinstance(model, MixtureModel)
        own = model.log_prob_of(batch.x, self.part(model, batch))
        return {"part_nll": -own.mean()}
