"""The one place where text goes to the terminal.

Text of others (suites, files, stored results, a plug-in's errors) is made visible here, whatever
command prints it; a terminal that knows few letters, a pipe that closes, a disk that is full and
no output at all stop nothing that is being computed.
"""

import errno
import io
import os
import re
import sys
import textwrap
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any, TextIO

from rich.console import Console, ConsoleOptions
from rich.segment import Segment

from genbench.errors import GenbenchError
from genbench.visible import visible

PIPE_WIDTH = 140
"""Characters of a line where there is no terminal."""


class _Stream(io.TextIOWrapper):
    """A standard stream that goes on, into nothing, once it cannot be written."""

    lost: OSError | None = None

    def write(self, text: str) -> int:
        try:
            return super().write(text)
        except OSError as error:
            self._lose(error)
            return len(text)

    def flush(self) -> None:
        try:
            super().flush()
        except OSError as error:
            self._lose(error)

    def _lose(self, error: OSError) -> None:
        self.lost = error
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.fileno())  # what is still in the buffers goes there too
        os.close(nowhere)


def prepare_streams() -> None:
    """Give stdout and stderr an answer to what they cannot write; a closed one is no error."""
    for name in ("stdout", "stderr"):
        stream: TextIO | None = getattr(sys, name)
        if stream is None:
            # held open to the end: the number would else go to the next file that is opened
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif isinstance(stream, io.TextIOWrapper) and not isinstance(stream, _Stream):
            encoding, lines = stream.encoding, stream.line_buffering
            setattr(sys, name, _Stream(
                stream.detach(), encoding, "backslashreplace", line_buffering=lines
            ))


@contextmanager
def printed_aside() -> Iterator[None]:
    """What code of others prints meanwhile goes to stderr: stdout is for what programs read."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def check_written() -> None:
    """Flush stdout.

    Raises:
        GenbenchError: it could not all be written, and not because nobody reads any more.
    """
    sys.stdout.flush()
    lost = getattr(sys.stdout, "lost", None)
    if lost is not None and lost.errno != errno.EPIPE:
        raise GenbenchError(f"the output could not be written: {lost.strerror}")


class _Screen(Console):
    """A console that shows what text would steer it."""

    def render(
        self, renderable: Any, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            text, style, control = segment
            yield segment if control else Segment(visible(text), style)


def console_for(stream: TextIO) -> Console:
    """A console; a pipe has no width of its own, so tables there get a wide one."""
    width = None if stream.isatty() or os.environ.get("COLUMNS") else PIPE_WIDTH
    return _Screen(file=stream, highlight=False, emoji=False, width=width)


def say(text: str) -> None:
    """Print lines for a person; a terminal gets none that it would break within a word."""
    lines = visible(text).splitlines()
    if sys.stdout.isatty():
        width = console_for(sys.stdout).width
        lines = [part for line in lines for part in _folded(line, width)]
    print("\n".join(lines))


def _folded(line: str, width: int) -> list[str]:
    """A line in parts of at most `width` characters; the second column of a list hangs."""
    if len(line) <= width:
        return [line]
    first = re.match(r" *\S+ {2,}(?=\S)|[ -]*", line)
    hanging = first.end() if first and first.end() < width // 2 else 2
    return textwrap.wrap(
        line, width, subsequent_indent=" " * hanging, break_long_words=False,
        break_on_hyphens=False, drop_whitespace=True,
    )


def write(text: str) -> None:
    """Print what programs read: byte for byte, but for a terminal."""
    sys.stdout.write(visible(text) if sys.stdout.isatty() else text)


def tell(line: str, style: str) -> None:
    """Print a line on stderr as it is, however long."""
    console = _Screen(stderr=True, soft_wrap=True, highlight=False, emoji=False)
    console.print(line, style=style, markup=False)
