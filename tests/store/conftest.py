"""The made-up suite of `fake_store.py` as a fixture."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def fake() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "fake_store", Path(__file__).parent / "fake_store.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def _no_fsync(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hundreds of small files a test: waiting for the disk shows nothing here."""
    monkeypatch.setattr("genbench.store.files.os.fsync", lambda handle: None)
