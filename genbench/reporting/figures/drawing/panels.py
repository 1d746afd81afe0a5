"""What one picture shows: a panel for each row of the suite, and the data themselves."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

Arrays = Mapping[str, np.ndarray]
"""Arrays of `samples.npz`, by name; `evaluation.figure_data` says which there are."""
ROWS = 36
"""Panels on a sheet: six lines of six."""


@dataclass(frozen=True)
class Panel:
    """A row of the suite: the arrays of its first finished run, or why there are none."""

    title: str
    arrays: Arrays
    why_not: str = ""


@dataclass(frozen=True)
class Panels:
    """The rows on one sheet, and the arrays of the data themselves."""

    panels: Sequence[Panel]
    real: Arrays = field(default_factory=dict)

    @property
    def drawn(self) -> Iterator[Arrays]:
        """The arrays of the panels that show something."""
        return (panel.arrays for panel in self.panels if not panel.why_not)


Item = TypeVar("Item")


def pages(items: Sequence[Item], most: int) -> Iterator[Sequence[Item]]:
    """The items on as few pages of at most `most` as will do, about as many on each."""
    count = -(-len(items) // most)
    for page in range(count):
        yield items[page * len(items) // count : (page + 1) * len(items) // count]
