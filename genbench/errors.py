"""What can go wrong, as one tree.

GenbenchError                 anything that a user can cause and mend; one clear line, exit code 2
├── SuiteError                a suite says something impossible: file, line, dotted path, remedy
│   └── SuiteErrors           several such lines of one file
├── UnknownName               no component or method of that name
├── DataError                 data missing, corrupt, or of the wrong kind
├── PluginError               a user's own file does not import, or holds no such class
├── StoreError                a results folder that cannot be written, or a damaged run folder
│   └── Unwritable            a file that cannot be written: a full disk, no permission
├── DeviceError               a device that is not there
├── ProtocolError             numbers of different protocols set against each other
├── NotApplicable             a metric that has no meaning for this model; a reason, never a zero
└── NotFinite                 a measured quantity holds NaN or infinity
Diverged                      not an error but a result: a loss was NaN or infinite
"""

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


class GenbenchError(Exception):
    """Anything that a user can cause and mend. Its text is the one line that is shown."""


class SuiteError(GenbenchError):
    """A suite says something impossible.

    Shown as `file:line: dotted.path: message`; the parts that are not known are left out.
    """

    def __init__(
        self, message: str, *, file: Path | str | None = None, line: int | None = None,
        path: str = "",
    ) -> None:
        self.message, self.file, self.line, self.path = message, file, line, path
        where = f"{file}:{line}" if file and line else f"{file}" if file else ""
        super().__init__(": ".join(part for part in (where, path, message) if part))


class SuiteErrors(SuiteError):
    """Several things that one suite says wrongly, a line each (the first 20)."""

    SHOWN = 20

    def __init__(self, problems: Sequence[SuiteError]) -> None:
        super().__init__(problems[0].message, file=problems[0].file, line=problems[0].line,
                         path=problems[0].path)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        lines = [str(problem) for problem in self.problems[:self.SHOWN]]
        more = len(self.problems) - self.SHOWN
        return "\n".join([*lines, f"… and {more} more"] if more > 0 else lines)


class UnknownName(GenbenchError):
    """No component or method of that name."""


class DataError(GenbenchError):
    """Data missing, corrupt, or of the wrong kind."""


class PluginError(GenbenchError):
    """A user's own file does not import, or holds no class of that name."""


class StoreError(GenbenchError):
    """A results folder that cannot be written, or a damaged run folder."""


class Unwritable(StoreError):
    """A file that cannot be written: the disk is full, or there is no permission."""


class DeviceError(GenbenchError):
    """A device that is not there."""


class ProtocolError(GenbenchError):
    """Numbers of different protocols set against each other."""


class NotApplicable(GenbenchError):
    """A metric that has no meaning for this model or dataset; its text is the cell's reason."""


class NotFinite(GenbenchError):
    """A measured quantity holds NaN or infinity; its text says what and how many."""


class Diverged(Exception):
    """A loss became NaN or infinite: a result, reported with the loss and the update.

    `update` counts from 1, as progress and reports do.
    """

    def __init__(self, term: str, update: int, value: float) -> None:
        self.term, self.update, self.value = term, update, value
        super().__init__(f"{term} became {value} at update {update}")


def in_a_line(error: BaseException) -> str:
    """What somebody else's code raised, as its type and the first line of its text."""
    lines = str(error).strip().splitlines()
    return ": ".join([type(error).__name__, *lines[:1]])


@contextmanager
def user_code(code: str, kind: type[GenbenchError]) -> Iterator[None]:
    """Turn any exception of user code into a GenbenchError of one line.

    Raises:
        GenbenchError: of this kind; one that the code raises itself stays as it is.
    """
    try:
        yield
    except GenbenchError:
        raise
    except BaseException as error:
        if is_ctrl_c(error):
            raise
        raise kind(f"{code}: {in_a_line(error)}") from error


def is_ctrl_c(error: BaseException) -> bool:
    """Whether it may be a person's Ctrl-C; where that is ignored, code has raised it by itself."""
    ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    return isinstance(error, KeyboardInterrupt) and not ignored
