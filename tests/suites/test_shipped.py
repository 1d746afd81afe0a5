"""Every shipped suite and every zoo entry loads, without a warning that nobody saw."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from genbench.reporting import catalogue
from genbench.reporting.citations import cite
from genbench.suites.expand import load_plan
from genbench.suites.zoo import method_names

SHIPPED = sorted((Path(__file__).parents[2] / "suites").glob("*.yaml"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_it_loads(path: Path) -> None:
    began = time.perf_counter()
    plan = load_plan(path)
    assert plan.runs
    assert plan.warnings == ()
    assert time.perf_counter() - began < 2
    assert "@" in cite(path)


@pytest.mark.parametrize("name", method_names())
def test_a_zoo_method_is_complete(name: str) -> None:
    text = catalogue.info(name, "method")
    assert "resolved:" in text
    assert "family: " in text
    assert "@" in text
