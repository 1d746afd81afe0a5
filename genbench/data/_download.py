"""Data files that are missing: fetched by torchvision, or asked for in one clear line."""

import contextlib
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from filelock import FileLock

from genbench.errors import DataError

_TIMEOUT = 30.0
"""Seconds without an answer after which a download is given up."""


def ensure(
    torchvision_class: str, root: Path, missing: Callable[[], list[Path]], *, offline: bool
) -> None:
    """Have torchvision download a dataset into `root` if files of it are missing.

    `missing` lists the files that are not there. Several processes may call this at once.

    Raises:
        DataError: files are missing and cannot be fetched; says what to put where, and which
            command fetches it.
    """
    if not missing():
        return
    reason = "and genbench was told to stay offline"
    if not offline:
        try:
            _download(torchvision_class, root, missing)
            reason = "and torchvision's download did not bring it"
        except Exception as error:  # torchvision raises whatever its mirrors lead to
            first = (str(error).strip() or "no message").splitlines()[0]
            reason = f"and downloading it failed ({type(error).__name__}: {first})"
    gone = missing()
    if gone:
        names = ", ".join(path.name for path in gone)
        raise DataError(
            f"{torchvision_class}: no {names} in {gone[0].parent} {reason}; put it there, name "
            "another folder with --data, or fetch it on a machine with a network: genbench fetch "
            f"SUITE --data {root}"
        )


def _download(torchvision_class: str, root: Path, missing: Callable[[], list[Path]]) -> None:
    root.mkdir(parents=True, exist_ok=True)
    with FileLock(root / ".genbench-download.lock"):
        if not missing():  # another process was faster
            return
        import torchvision.datasets

        with _socket_timeout(), contextlib.redirect_stdout(sys.stderr):
            getattr(torchvision.datasets, torchvision_class)(str(root), download=True)


@contextlib.contextmanager
def _socket_timeout() -> Iterator[None]:
    """Give up on a silent server: torchvision itself waits for ever."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_TIMEOUT)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
