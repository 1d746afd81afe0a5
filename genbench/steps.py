"""What is being done just now, for whoever waits for it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

LOADING = "loading PyTorch"
"""The step in which something that needs torch is imported first."""
Tell = Callable[[str, float], None]
"""Takes the step's name, and the share of the whole that lies behind it, 0 to 1."""


class Place:
    """Where it is: the step's name, the part of it and the share of the whole that are done."""

    def __init__(self, tell: Tell) -> None:
        self.tell, self.name, self.part, self.share = tell, "", 0.0, 0.0
        self.start, self.width = 0.0, 1.0

    def at(self, name: str, part: float = 0.0) -> None:
        """A step begins, or goes on."""
        self.name, self.part = name, part
        self.tell(name, self.share)


_PLACE: ContextVar[Place | None] = ContextVar("place", default=None)


@contextmanager
def told(tell: Tell) -> Iterator[Place]:
    """Every step that begins within is told; the place can be looked at meanwhile."""
    place = Place(tell)
    token = _PLACE.set(place)
    try:
        yield place
    finally:
        _PLACE.reset(token)


@contextmanager
def step(name: str) -> Iterator[None]:
    """Something that takes its time; afterwards goes on what it is a part of."""
    place = _PLACE.get()
    if place is None:
        yield
        return
    before = place.name, place.part
    place.at(name)
    try:
        yield
    finally:
        place.at(*before)


def share_of(done: float, total: float) -> None:
    """So much lies behind the steps that follow."""
    place = _PLACE.get()
    if place is not None:
        place.share = place.start + place.width * (done / total if total else 1.0)


def part_of(done: float, total: float) -> None:
    """So much of this step is done."""
    place = _PLACE.get()
    if place is not None:
        place.part = done / total if total else 1.0


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
