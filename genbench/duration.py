"""How long something may take, as people and Slurm write it."""

import re
from typing import Annotated

from pydantic import AfterValidator

_FORMS = "a time above 0, as minutes, HH:MM:SS or D-HH:MM:SS"


def minutes(value: float | str) -> float:
    """A time in minutes: a number of them, or text in Slurm's notation.

    `90` (minutes), `MM:SS`, `HH:MM:SS`, `D-HH`, `D-HH:MM` and `D-HH:MM:SS`.

    Raises:
        ValueError: none of these, or no time at all; it says what is expected.
    """
    found = value if not isinstance(value, str) else _read(value)
    if not 0 < found < float("inf"):
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


def _validated(value: float | str) -> float | str:
    minutes(value)
    return value


Duration = Annotated[float | str, AfterValidator(_validated)]
"""A time as a suite writes it; see `minutes`."""
