"""A worker's process: whether it lives, how it is ended, and what became of it.

multiprocessing knows a forked worker through the server that forked it, which may be killed; and
the pipe to a worker stays open in whatever it forked itself. The system knows better.
"""

import os
import signal
from contextlib import suppress
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess

PATIENCE = 5.0
"""Seconds in which a process leaves that was told to, and in which the server tells of its end."""


class Process:
    """A process that was started; `end` can be waited for, and is ready when it is gone."""

    def __init__(self, process: BaseProcess) -> None:
        self._process = process
        self._handle = _handle(process)
        self.end: int = process.sentinel if self._handle is None else self._handle

    @property
    def alive(self) -> bool:
        """Whether it is still there."""
        return not wait([self.end], timeout=0)

    def kill(self) -> None:
        """End it at once, and wait until it is gone."""
        if self._handle is None:
            self._process.kill()
        else:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, signal.SIGKILL)
        wait([self.end])

    @property
    def exit_text(self) -> str:
        """How one that is gone ended, in words."""
        self._process.join(timeout=PATIENCE)
        code = self._process.exitcode
        if code is not None and code < 0:
            hint = " (out of memory?)" if code == -signal.SIGKILL else ""
            return f"was killed by signal {-code}{hint}"
        # 255 is also what multiprocessing says where the server, who would know, is gone
        return "ended" if code in (None, 255) else f"ended with exit code {code}"

    def close(self) -> None:
        """Let go of the handle of one that is gone."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle, self.end = None, self._process.sentinel


def _handle(process: BaseProcess) -> int | None:
    """The system's own handle; None where it has none, or the process is gone already."""
    assert process.pid is not None
    try:
        return os.pidfd_open(process.pid)
    except (AttributeError, OSError):
        return None
