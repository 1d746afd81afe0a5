"""The tests of the store write without waiting for the disk."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _no_fsync(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hundreds of small files a test: waiting for the disk shows nothing here."""
    monkeypatch.setattr("genbench.store.files.os.fsync", lambda handle: None)
