"""What runs ask of a cluster, and how long they may take."""

from __future__ import annotations

import math
import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

from genbench.fields import Count, NonNegative, Positive

__all__ = ["Cluster", "Time", "minutes"]

_FORMS = "a time above 0, as minutes, HH:MM:SS or D-HH:MM:SS"


def minutes(value: float | str) -> float:
    """A time in minutes: a number of them, or text in Slurm's notation.

    `90` (minutes), `MM:SS`, `HH:MM:SS`, `D-HH`, `D-HH:MM` and `D-HH:MM:SS`.

    Raises:
        ValueError: none of these, or no time at all; it says what is expected.
    """
    found = value if not isinstance(value, str) else _read(value)
    if not 0 < found < math.inf:
        raise ValueError(_FORMS)
    return float(found)


def _read(text: str) -> float:
    found = re.fullmatch(r"(?:(\d+)-)?(\d+)(?::(\d+))?(?::(\d+))?", text.strip())
    if not found:
        raise ValueError(_FORMS)
    days, *parts = found.groups()
    numbers = [int(part) for part in parts if part is not None]
    hours_first = days is not None or len(numbers) == 3
    units = (60.0, 1.0, 1 / 60) if hours_first else (1.0, 1 / 60)
    return int(days or 0) * 1440 + sum(n * unit for n, unit in zip(numbers, units))


def _checked(value: float | str) -> float | str:
    minutes(value)
    return value


Time = Annotated[float | str, AfterValidator(_checked)]
"""A time as a suite writes it; see `minutes`."""


class Cluster(BaseModel):
    """What every run asks of a Ray or Slurm cluster; options of `genbench run` go first."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    cpus: Count = 1
    """CPU cores."""
    gpus: NonNegative | None = None
    """GPUs, or with Ray a fraction of one; null takes one where there is any."""
    memory: Positive | None = None
    """GiB; null leaves it to the cluster."""
    partition: str | None = None
    """Slurm's partition; null is its default."""
    time: Time = 60.0
    """The time limit of a Slurm job, in minutes or as HH:MM:SS or D-HH:MM:SS: a run that takes
    longer is saved, queued again, and goes on."""
    account: str | None = None
    """Slurm's account; null is its default."""

    @property
    def whole_minutes(self) -> int:
        """The time limit as Slurm counts it."""
        return max(1, math.ceil(minutes(self.time) - 1e-9))
