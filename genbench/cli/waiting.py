"""A command that takes long says on stderr what it is at, and how long that will take."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from genbench.cli.output import tell
from genbench.steps import StepProgress, reporting_steps

PATIENCE = 2.0
"""Seconds that a step may take without a word."""
AGAIN = 60.0
"""Seconds between two lines about one step."""
LOOK_EVERY = 0.1


@contextmanager
def slow_steps_said() -> Iterator[None]:
    """Every step within that takes long is said, and again every minute.

    Where bars or lines of progress are shown, the steps are theirs to say (`running.progress`).
    """
    over = threading.Event()
    with reporting_steps(lambda name, fraction: None) as place:
        watch = threading.Thread(target=_watch, args=(place, over), daemon=True)
        watch.start()
        try:
            yield
        finally:
            over.set()
            watch.join()


def _watch(place: StepProgress, over: threading.Event) -> None:
    name, began, due = "", 0.0, 0.0
    while not over.wait(LOOK_EVERY):
        now = time.monotonic()
        if place.name != name:
            name, began, due = place.name, now, now + PATIENCE
        elif name and now >= due:
            due = now + AGAIN
            tell(f"still {name}{_ahead(place.step_fraction, now - began)}", "dim")


def _ahead(part: float, seconds: float) -> str:
    """How much of a step is done and how long it will take, where that is known."""
    if not 0 < part < 1:
        return ""
    minutes, rest = divmod(round(seconds * (1 - part) / part), 60)
    return f": {part:.0%} of it done, {minutes}:{rest:02d} left"
