"""The suite that owns a results folder, which has the name of its file: names may collide.

    results/<suite>/suite.txt     the relative path from this folder to the suite's file
"""

import os
from pathlib import Path

from genbench.errors import StoreError
from genbench.store.files import write_text


def check_holder(root: Path, suite: Path) -> None:
    """Refuse a results folder that is owned by another suite of the same name.

    A suite that was moved or deleted no longer owns its folder; a copy shares it.

    Raises:
        StoreError: there is another suite's; which, and what to do.
    """
    other = root / _holder(root)
    try:
        if not other.is_file() or other.samefile(suite):
            return
        same = other.read_bytes() == suite.read_bytes()
    except (OSError, ValueError):
        return
    if not same:
        raise StoreError(
            f"{root} holds the results of {os.path.relpath(other)}, and {suite} has the same "
            "name; call one of them otherwise, or name another folder with --results"
        )


def hold(root: Path, suite: Path) -> None:
    """Record the suite as the owner of its results folder.

    Raises:
        StoreError: another suite's, or it cannot be written.
    """
    check_holder(root, suite)
    way = Path(os.path.relpath(suite.resolve(), root.resolve())).as_posix()
    if _holder(root) != way:
        write_text(root / "suite.txt", f"{way}\n")


def _holder(root: Path) -> str:
    """The recorded owner; empty where there is no readable record."""
    try:
        return (root / "suite.txt").read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""
