"""A made-up suite with its store, from the tests of the store."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
from matplotlib.figure import Figure

from genbench.store.runs import Store
from genbench.suites.plan import Plan


@pytest.fixture(scope="session")
def filled(fake: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> tuple[Plan, Store]:
    """A plan and its store; tests must not change it."""
    folder = tmp_path_factory.mktemp("suite")
    plan = fake.make_plan(folder)
    store = Store(folder / "results" / "fake")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("genbench.store.files.os.fsync", lambda handle: None)
        fake.fill(plan, store)
    return plan, store


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """The figures of matplotlib that a test draws, as they are saved."""
    found: list[Figure] = []
    save = Figure.savefig

    def saved(figure: Figure, *args: Any, **options: Any) -> None:
        found.append(figure)
        save(figure, *args, **options)

    monkeypatch.setattr(Figure, "savefig", saved)
    return found
