"""What an evaluation is doing just now, for whoever waits for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["Tell", "portion", "share_of", "step", "told"]

Tell = Callable[[str, float], None]
"""Takes the step's name, and the share of the evaluation that lies behind it, 0 to 1."""


class _Place:
    def __init__(self, tell: Tell) -> None:
        self.tell, self.name, self.share = tell, "", 0.0
        self.start, self.width = 0.0, 1.0

    def at(self, name: str) -> None:
        self.name = name
        self.tell(name, self.share)


_PLACE: ContextVar[_Place | None] = ContextVar("place", default=None)


@contextmanager
def told(tell: Tell) -> Iterator[None]:
    """Every step that begins within is told."""
    token = _PLACE.set(_Place(tell))
    try:
        yield
    finally:
        _PLACE.reset(token)


@contextmanager
def step(name: str) -> Iterator[None]:
    """Something that takes its time; afterwards goes on what it is a part of."""
    place = _PLACE.get()
    if place is None:
        yield
        return
    before = place.name
    place.at(name)
    yield
    place.at(before)


def share_of(done: float, total: float) -> None:
    """So much lies behind the steps that follow."""
    place = _PLACE.get()
    if place is not None:
        place.share = place.start + place.width * (done / total if total else 1.0)


@contextmanager
def portion(index: int, total: int) -> Iterator[None]:
    """The steps within are one of `total` portions of the whole; their shares are parts of it."""
    place = _PLACE.get()
    if place is not None:
        place.start, place.width = index / total, 1 / total
        share_of(0, 1)
    try:
        yield
    finally:
        if place is not None:
            place.start, place.width = 0.0, 1.0
