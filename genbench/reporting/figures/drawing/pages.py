"""Many panels on sheets of a bounded height."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

__all__ = ["PANELS", "pages"]

PANELS = 36
"""Panels on a sheet: six lines of six."""


Item = TypeVar("Item")


def pages(items: Sequence[Item], most: int) -> Iterator[Sequence[Item]]:
    """The items on as few pages of at most `most` as will do, about as many on each."""
    count = -(-len(items) // most)
    for page in range(count):
        yield items[page * len(items) // count : (page + 1) * len(items) // count]
