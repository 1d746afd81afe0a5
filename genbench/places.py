"""Where genbench keeps what it can make again."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["cache_folder"]


def cache_folder() -> Path:
    """Extractors, reference statistics and decoded images: `GENBENCH_CACHE`, or the home folder's
    `.cache/genbench`."""
    given = os.environ.get("GENBENCH_CACHE")
    return Path(given).expanduser() if given else Path.home() / ".cache" / "genbench"
