"""Pre-training of a mixture by class: component c learns from the examples with label c.

Gong's thesis, 2017, section 5.2: a component for each digit. Labels beyond the components start
again from the first.
"""

from torch import Tensor

from genbench.errors import GenbenchError
from genbench.models.mixture import MixtureModel
from genbench.objectives._by_part import ByPart
from genbench.objectives.base import Batch


class LabelLikelihood(ByPart):
    """Each component of a mixture learns by maximum likelihood from one class."""

    labelled = True

    def part(self, model: MixtureModel, batch: Batch) -> Tensor:
        """The label modulo the number of components; data without labels are refused."""
        if batch.labels is None:
            raise GenbenchError("label_likelihood: data without labels; use cluster_likelihood")
        return batch.labels % model.components
