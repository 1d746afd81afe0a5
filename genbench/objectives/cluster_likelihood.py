"""Pre-training of a mixture without labels: component c learns from cluster c of k-means.

As `label_likelihood`, with Lloyd's clusters in the place of classes (k-means++: Arthur,
Vassilvitskii, 2007).
"""

import torch
from torch import Tensor

from genbench.fields import Count
from genbench.models._kmeans import kmeans
from genbench.models.base import Mixture
from genbench.models.mixture import MixtureModel
from genbench.objectives._by_part import ByPart
from genbench.objectives.base import Batch, Draw, Noise


class ClusterLikelihood(ByPart):
    """Each component of a mixture learns by maximum likelihood from one cluster of the data."""

    points: Count = 5000
    """Training data that the clusters are found on, where the mixture does not start on any."""

    def build(self, model: Mixture) -> None:
        """Room for the centres, which a checkpoint keeps."""
        assert isinstance(model, MixtureModel)
        self.register_buffer("centres", torch.zeros(model.components, model.space.dims))

    def prepare(self, model: Mixture, draw: Draw, noise: Noise) -> None:
        """The clusters are those that the components start on, where they start on some."""
        assert isinstance(model, MixtureModel)
        super().prepare(model, draw, noise)
        if model.start == "kmeans":
            self.get_buffer("centres").copy_(model.shift.detach())
            return
        x = draw(self.points, noise.child("data")).x.flatten(1)
        self.get_buffer("centres").copy_(kmeans(x, model.components, noise)[0])

    def part(self, model: MixtureModel, batch: Batch) -> Tensor:
        return torch.cdist(batch.x.flatten(1), self.get_buffer("centres")).argmin(1)
