"""Benchmarks end with a table of ratios: ours against the baseline of the same run."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

ROWS: list[tuple[str, str, str]] = []


@pytest.fixture
def ratio(request: pytest.FixtureRequest) -> Callable[[str, str, str], None]:
    """ratio(what, measured, wanted) adds a line to the closing table."""

    def add(what: str, measured: str, wanted: str) -> None:
        ROWS.append((what, measured, wanted))

    return add


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not ROWS:
        return
    width = max(len(row[0]) for row in ROWS)
    terminalreporter.section("ratios")
    for what, measured, wanted in ROWS:
        terminalreporter.write_line(f"{what:<{width}}  {measured:<28}  wanted: {wanted}")
