"""False alarms and power of the gate: what the manual's table says holds."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest
from gate_power import CHANGES, CORRELATED, NUMBERS, SEEDS, alarms, drawn, power, regressed
from made_rows import rows, table

import genbench
from genbench.judging.baseline import Baseline
from genbench.judging.cells import cells_of
from genbench.judging.gate import check
from genbench.judging.statistics import ALPHA
from genbench.suites.tolerance import Tolerance

PAGE = Path(genbench.__file__).parent / "docs/verdicts.md"
ROW = re.compile(r"\| (\d+) \| (independent|correlated) \| (.*) \|")
LINES = [match.groups() for match in map(ROW.match, PAGE.read_text("utf-8").splitlines()) if match]


@pytest.mark.parametrize("kind", CORRELATED)
@pytest.mark.parametrize("seeds", SEEDS)
def test_what_is_simulated_is_what_check_does(seeds, kind):
    before, now = drawn(10, seeds, 12, CORRELATED[kind], change=2.5, start=3)
    found = regressed(before, now)
    for suite in range(len(before)):
        old, new = (table(*(rows(f"m{k}", each) for k, each in enumerate(side[suite])))
                    for side in (before, now))
        outcome = check(new, Baseline("ci", cells_of(old), {"nll": Tolerance()}))
        called = {one.method for one in outcome.findings if one.verdict == "regressed"}
        assert called == {f"m{k}" for k in range(10) if found[suite, k]}
        assert outcome.exit_code == bool(called)


def allowed(share: float, suites: int, sigmas: float) -> float:
    return sigmas * math.sqrt(max(share * (1 - share), 0.01) / suites)


def test_the_manual_has_every_line():
    assert [(seeds, kind) for seeds, kind, _ in LINES] == [
        (str(seeds), kind) for kind in CORRELATED for seeds in SEEDS
    ]


@pytest.mark.parametrize(
    ("seeds", "kind", "said"), LINES, ids=[f"{seeds}-{kind}" for seeds, kind, _ in LINES]
)
def test_the_manual_says_what_comes_out(seeds, kind, said):
    suites, n, correlation = 1000, int(seeds), CORRELATED[kind]
    cells = [cell.split(" / ") for cell in said.split(" | ")]
    assert len(cells) == 1 + len(CHANGES)
    for place, numbers in enumerate(NUMBERS):
        false = float(cells[0][place]) / 100
        now = alarms(numbers, n, suites, correlation, start=1)
        assert now <= ALPHA + allowed(ALPHA, suites, 3)
        assert now == pytest.approx(false, abs=0.001 + allowed(false, suites, 4.5))
        for change, cell in zip(CHANGES, cells[1:], strict=True):
            told = float(cell[place]) / 100
            assert power(numbers, n, suites, correlation, change, start=1) == pytest.approx(
                told, abs=0.006 + allowed(told, suites, 4.5)
            )
