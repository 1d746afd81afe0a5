"""One number of one model: as a metric gives it, and as metrics.json holds it."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import BeforeValidator, ConfigDict, Field

Number = Annotated[float, Field(allow_inf_nan=False)]
"""A finite number; JSON may spell infinity as 1e400 or with 500 digits."""
_Text = Annotated[str, BeforeValidator(lambda text: "" if text is None else text)]


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One number with its protocol, or the reason why there is none.

    `value` is the mean over sample sets and `sampling_std` their standard deviation (N − 1), None
    where the metric does not depend on samples or there is one set. `status` is ok, skipped (no
    meaning here), not-finite or failed (an error inside the metric).
    """

    __pydantic_config__ = ConfigDict(strict=True)

    metric: str
    status: str
    value: Number | None = None
    sampling_std: Number | None = None
    better: str = "none"
    unit: str = ""
    title: str = ""
    protocol: _Text = ""
    reason: _Text = ""
    target: str = ""
    """With the direction "target": the best value, and the side on which worse ones lie."""
    tolerance: Number | None = None
    """How much worse the gate lets it become, in its unit; None for a share of the mean."""
