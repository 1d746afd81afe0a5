"""A time at which a session ends, whatever is left to do."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def at_deadline(when: float | None, act: Callable[[], object]) -> Iterator[None]:
    """Have `act` called at `when` (of `time.monotonic`), unless it is over before; None is never.

    It is called in a thread of its own.
    """
    if when is None:
        yield
        return
    timer = threading.Timer(max(0.0, when - time.monotonic()), act)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
