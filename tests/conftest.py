"""What all tests share: one thread each, a cache of their own, and data where there are any."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import HealthCheck, settings

os.environ.setdefault("OMP_NUM_THREADS", "1")
# how long an example takes says something of the machine, and nothing of the code
settings.register_profile("here", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("here")


@pytest.hookimpl(tryfirst=True)  # before `-m` chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of a sweep, the first case (of each value of the parameter that it names) is not slow."""
    met = set()
    for item in items:
        mark = item.get_closest_marker("sweep")
        if mark is None or not isinstance(item, pytest.Function):
            continue
        values = (item.callspec.params[name] for name in mark.args)
        case = (item.path, item.originalname, *map(repr, values))
        if case in met:
            item.add_marker(pytest.mark.slow)
        met.add(case)


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is read from, or left in, the user's cache."""
    shared = tmp_path_factory.getbasetemp().parent / "genbench-cache"
    monkeypatch.setenv("GENBENCH_CACHE", str(shared))


@pytest.fixture
def data_root() -> Path:
    """The folder of real data files; the test is skipped where there is none."""
    folder = os.environ.get("GENBENCH_DATA")
    if not folder:
        pytest.skip("GENBENCH_DATA is not set")
    return Path(folder)


@pytest.fixture(scope="session")
def fake() -> ModuleType:
    """tests/store/fake_store.py: a suite with made-up results."""
    path = Path(__file__).parent / "store" / "fake_store.py"
    spec = importlib.util.spec_from_file_location("fake_store", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
