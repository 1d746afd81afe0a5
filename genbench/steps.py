"""Named steps of long operations, for progress displays."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

LOADING = "loading PyTorch"
"""The step in which torch is imported."""
StepCallback = Callable[[str, float], None]
"""Called with the step's name and the completed fraction of the whole operation, 0 to 1."""


class StepProgress:
    """The current step, its completed fraction, and that of the whole operation."""

    def __init__(self, callback: StepCallback) -> None:
        self.callback, self.name, self.step_fraction, self.fraction = callback, "", 0.0, 0.0
        self.start, self.width = 0.0, 1.0

    def enter(self, name: str, step_fraction: float = 0.0) -> None:
        """Begin or resume a step."""
        self.name, self.step_fraction = name, step_fraction
        self.callback(name, self.fraction)


_CURRENT: ContextVar[StepProgress | None] = ContextVar("progress", default=None)


@contextmanager
def reporting_steps(callback: StepCallback) -> Iterator[StepProgress]:
    """Call `callback` at the start of every step within; the progress can be polled meanwhile."""
    progress = StepProgress(callback)
    token = _CURRENT.set(progress)
    try:
        yield progress
    finally:
        _CURRENT.reset(token)


@contextmanager
def step(name: str) -> Iterator[None]:
    """A step of that name; at its end the enclosing step resumes."""
    progress = _CURRENT.get()
    if progress is None:
        yield
        return
    before = progress.name, progress.step_fraction
    progress.enter(name)
    try:
        yield
    finally:
        progress.enter(*before)


def set_fraction(done: float, total: float) -> None:
    """Set the completed fraction of the whole operation."""
    progress = _CURRENT.get()
    if progress is not None:
        progress.fraction = progress.start + progress.width * (done / total if total else 1.0)


def set_step_fraction(done: float, total: float) -> None:
    """Set the completed fraction of the current step."""
    progress = _CURRENT.get()
    if progress is not None:
        progress.step_fraction = done / total if total else 1.0


@contextmanager
def portion(index: int, total: int) -> Iterator[None]:
    """The steps within are portion `index` of `total`: fractions are of that portion."""
    progress = _CURRENT.get()
    if progress is not None:
        progress.start, progress.width = index / total, 1 / total
        set_fraction(0, 1)
    try:
        yield
    finally:
        if progress is not None:
            progress.start, progress.width = 0.0, 1.0
