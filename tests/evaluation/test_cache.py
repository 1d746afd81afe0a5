"""What is computed once and kept on disk."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from genbench.evaluation.cache import once_on_disk


@pytest.mark.parametrize("mask", [0o022, 0o007, 0o077])
def test_a_kept_file_is_as_readable_as_the_umask_says(tmp_path: Path, mask: int) -> None:
    """The others of a group share a cache."""
    before = os.umask(mask)
    try:
        once_on_disk(tmp_path / "x.safetensors", lambda: {"x": np.zeros(2)})
    finally:
        os.umask(before)
    assert (tmp_path / "x.safetensors").stat().st_mode & 0o777 == 0o666 & ~mask
