"""Ratios of two ways to do the same work, measured in turn in one run."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

__all__ = ["interleaved"]


def interleaved(
    ours: Callable[[], object], theirs: Callable[[], object], rounds: int = 5,
    clock: Callable[[], float] = time.process_time,
) -> tuple[float, float]:
    """Median seconds of each, taken in turn (the order reversed every other round).

    The default clock counts the CPU time of this process, which other work on the machine does
    not disturb as it does the wall.
    """
    ours(), theirs()  # warm up
    taken: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds):
        pair = [(0, ours), (1, theirs)]
        for side, work in pair if number % 2 == 0 else reversed(pair):
            began = clock()
            work()
            taken[side].append(clock() - began)
    return statistics.median(taken[0]), statistics.median(taken[1])
