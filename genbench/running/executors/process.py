"""A worker's process: liveness, kill, and exit code.

multiprocessing sees a forked worker only through the fork server, which may be killed, and the
pipe to a worker stays open in the worker's own children. A pidfd depends on neither.
"""

import os
import signal
from contextlib import suppress
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess

EXIT_TIMEOUT = 5.0
"""Seconds to wait for a process to exit on request, and for the server to report its exit code."""


class Process:
    """A started process; `sentinel` can be waited for and is ready when the process has exited."""

    def __init__(self, process: BaseProcess) -> None:
        self._process = process
        self._handle = _handle(process)
        self.sentinel: int = process.sentinel if self._handle is None else self._handle

    @property
    def alive(self) -> bool:
        """Whether it has not exited."""
        return not wait([self.sentinel], timeout=0)

    def kill(self) -> None:
        """Send SIGKILL and wait for the exit."""
        if self._handle is None:
            self._process.kill()
        else:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, signal.SIGKILL)
        wait([self.sentinel])

    @property
    def exit_text(self) -> str:
        """The exit status of a process that has exited, in words."""
        self._process.join(timeout=EXIT_TIMEOUT)
        code = self._process.exitcode
        if code is not None and code < 0:
            hint = " (out of memory?)" if code == -signal.SIGKILL else ""
            return f"was killed by signal {-code}{hint}"
        # 255 is also what multiprocessing reports when the fork server died
        return "ended" if code in (None, 255) else f"ended with exit code {code}"

    def close(self) -> None:
        """Close the pidfd of a process that has exited."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle, self.sentinel = None, self._process.sentinel


def _handle(process: BaseProcess) -> int | None:
    """A pidfd; None where the system has none, or the process has exited."""
    assert process.pid is not None
    try:
        return os.pidfd_open(process.pid)
    except (AttributeError, OSError):
        return None
