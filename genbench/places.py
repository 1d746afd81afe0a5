"""Where genbench keeps what it can make, or fetch, again."""

from __future__ import annotations

import os
from pathlib import Path

from genbench.errors import GenbenchError

__all__ = ["cache_folder", "downloads_folder"]


def cache_folder() -> Path:
    """Extractors, reference statistics and decoded images: `GENBENCH_CACHE`, or the home folder's
    `.cache/genbench`.

    Raises:
        GenbenchError: there is no home folder, as for a container's user without a name.
    """
    given = os.environ.get("GENBENCH_CACHE")
    try:
        return Path(given).expanduser() if given else Path.home() / ".cache" / "genbench"
    except RuntimeError:
        raise GenbenchError(
            "there is no home folder for the cache; name another folder in GENBENCH_CACHE"
        ) from None


def downloads_folder() -> Path:
    """The root of data files where none is named."""
    return cache_folder() / "data"
