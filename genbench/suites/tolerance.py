"""How much worse a metric may become before the gate (`genbench check`) calls it a regression."""

from pydantic import BaseModel, ConfigDict

from genbench.fields import NonNegative


class Tolerance(BaseModel):
    """How much worse a mean may be: the larger of the two."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    absolute: NonNegative = 0.0
    """In the metric's unit."""
    relative: NonNegative = 0.0
    """As a share of the size of the accepted mean."""

    def allowed(self, mean: float) -> float:
        """The change that is tolerated around a mean, in the metric's unit."""
        return max(self.absolute, self.relative * abs(mean))
