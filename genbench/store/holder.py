"""Whose a results folder is: it is called after a suite's file, and other files may be called so.

    results/<suite>/suite.txt     the way from this folder to the suite's file
"""

import os
from pathlib import Path

from genbench.errors import StoreError
from genbench.store.files import write_text


def check_holder(root: Path, suite: Path) -> None:
    """Refuse a results folder that holds the report of another suite of the same name.

    A suite that was moved, or is no longer there, gives its folder up; a copy shares it.

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
    """Note whose a results folder is.

    Raises:
        StoreError: another suite's, or it cannot be written.
    """
    check_holder(root, suite)
    way = Path(os.path.relpath(suite.resolve(), root.resolve())).as_posix()
    if _holder(root) != way:
        write_text(root / "suite.txt", f"{way}\n")


def _holder(root: Path) -> str:
    """What stands in the folder's note; nothing where there is none that can be read."""
    try:
        return (root / "suite.txt").read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""
