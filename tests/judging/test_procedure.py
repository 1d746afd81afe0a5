"""False verdicts and power of whole suites: what the manual's table says holds."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from procedure import (
    EFFECTS,
    EQUAL,
    LOOKS,
    SHAPES,
    drawn,
    ended,
    false_share,
    power,
    with_margin,
)

import genbench
from genbench.judging.cells import Cell
from genbench.judging.claims import judge
from genbench.judging.statistics import ALPHA
from genbench.suites.schema import Claim

PAGE = Path(genbench.__file__).parent / "docs/verdicts.md"
ROW = re.compile(r"\| (normal|heavy tails|whole numbers) \| (looks|\d+) \| (.*) \|")
MARGIN_ROW = re.compile(r"\| margin \| (looks|\d+) \| (.*) \|")
VERDICTS = {"CONFIRMED": 1, "REFUTED": -1, "INCONCLUSIVE": 0, "NO DIFFERENCE": EQUAL}


def judged(
    values: np.ndarray, looks: Sequence[int], margin: float | None = None
) -> tuple[list[int], list[int]]:
    """The verdicts on one suite (claim, side, seed) and the seeds of its claims, by `judge`."""
    claims = [Claim(id=f"K{k}", text="so", expect=f"x[a{k}] < x[b{k}]", margin=margin)
              for k in range(len(values))]
    runs = [SimpleNamespace(method=f"{side}{k}", dataset="d", seed=seed)
            for k in range(len(values)) for side in "ab" for seed in range(looks[-1])]
    plan: Any = SimpleNamespace(
        suite=SimpleNamespace(looks=list(looks), report=SimpleNamespace(claims=claims)),
        runs=runs, further=(), metrics=(),
    )
    seeds = [looks[0]] * len(values)
    for number in range(1, len(looks) + 1):
        found = judge(plan, [
            Cell(f"{side}{k}", "d", "x", "v1", "lower",
                 values=dict(enumerate(map(float, values[k, s, :n]))))
            for k, n in enumerate(seeds) for s, side in enumerate("ab")
        ])
        for k, one in enumerate(found):
            if one.open and one.look == number:
                seeds[k] = looks[number]
    return [VERDICTS[one.verdict] for one in found], seeds


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("looks", [LOOKS, [3], [10]])
def test_what_is_simulated_is_what_judge_does(shape, looks):
    values = drawn(shape, 6, looks[-1], 4, true=True, start=3)
    verdict, seeds = ended(values, looks)
    for suite in range(len(values)):
        assert judged(values[suite], looks) == (list(verdict[suite]), list(seeds[suite]))


@pytest.mark.parametrize("looks", [LOOKS, [40]])
def test_what_is_simulated_with_a_margin_is_what_judge_does(looks):
    values = drawn("normal", 6, looks[-1], 4, true=True, start=3)
    verdict, seeds = ended(values, looks, 1.0)
    assert {0, 1, EQUAL} <= set(verdict.flat)
    for suite in range(len(values)):
        found = judged(values[suite], looks, 1.0)
        assert found == (list(verdict[suite]), list(seeds[suite]))


def test_claims_with_a_margin_stay_in_the_count_beside_others():
    """Six that are found equal leave the seventh, without a margin, an error of one in seven."""
    rng = np.random.default_rng(6)
    rows = {f"{side}{k}": 20 + rng.normal(size=40) for k in range(7) for side in "ab"}
    rows["b6"] = rows["a6"] + rng.normal(0.35, 1, 40)
    [alone] = _judged(rows, [6], None)
    beside = _judged(rows, range(7), 3.0)
    assert [one.verdict for one in beside[:6]] == ["NO DIFFERENCE"] * 6
    assert beside[6].p == pytest.approx(min(1, 7 * alone.p))


def _judged(rows, numbers, margin):
    claims = [Claim(id=f"K{k}", text="so", expect=f"x[a{k}] < x[b{k}]",
                    margin=None if k == 6 else margin) for k in numbers]
    plan: Any = SimpleNamespace(
        suite=SimpleNamespace(looks=None, report=SimpleNamespace(claims=claims)), metrics=())
    return judge(plan, [
        Cell(name, "d", "x", "v1", "lower", values=dict(enumerate(map(float, values))))
        for name, values in rows.items()
    ])


@pytest.mark.parametrize("apart", [0.0, 1.0])
@pytest.mark.parametrize("looks", [LOOKS, [40]])
def test_a_suite_of_claims_with_a_margin_is_wrong_in_5_percent_at_most(looks, apart):
    """Where rows do not differ, and where they differ by the margin's whole."""
    suites = 1000
    assert with_margin(17, looks, suites, apart, start=1)[0] <= ALPHA + allowed(ALPHA, suites)


def allowed(share: float, suites: int, sigmas: float = 3.0) -> float:
    return sigmas * math.sqrt(max(share * (1 - share), 0.01) / suites)


@pytest.mark.parametrize("claims", [5, 17])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_suite_of_false_claims_has_a_verdict_in_5_percent_at_most(shape, claims):
    suites = 1000
    assert false_share(shape, claims, LOOKS, suites, start=1) <= ALPHA + allowed(ALPHA, suites)


def lines():
    return [match.groups() for match in map(ROW.match, PAGE.read_text("utf-8").splitlines())
            if match]


def test_the_manual_has_every_line():
    assert {(shape, seeds) for shape, seeds, _ in lines()} == {
        (shape, seeds) for shape in SHAPES for seeds in ("looks", "3", "5", "10", "20")
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shape", "seeds", "said"), lines(), ids=[f"{shape}-{seeds}" for shape, seeds, _ in lines()]
)
def test_the_manual_says_what_comes_out(shape, seeds, said):
    looks, suites = (LOOKS if seeds == "looks" else [int(seeds)]), 2000
    cells = [re.sub(r"\(.*\)", "", cell).split(" / ") for cell in said.split(" | ")]
    for place, claims in enumerate((5, 17)):
        false = float(cells[0][place]) / 100
        now = false_share(shape, claims, looks, suites, start=2)
        assert now <= ALPHA + allowed(ALPHA, suites)
        assert now == pytest.approx(false, abs=0.001 + allowed(false, suites, 4.5))
        found = power(shape, claims, looks, suites, start=2)[0]
        for one, cell in zip(found, cells[1:], strict=True):
            told = float(cell[place]) / 100
            assert one == pytest.approx(told, abs=0.006 + allowed(told, suites, 4.5))
    assert len(cells) == 1 + len(EFFECTS)


def margin_lines():
    return [match.groups() for match in map(MARGIN_ROW.match,
                                            PAGE.read_text("utf-8").splitlines()) if match]


@pytest.mark.slow
@pytest.mark.parametrize(("seeds", "said"), margin_lines(),
                         ids=[seeds for seeds, _ in margin_lines()])
def test_the_manual_says_what_comes_out_with_a_margin(seeds, said):
    looks, suites = (LOOKS if seeds == "looks" else [int(seeds)]), 2000
    cells = [cell.split(" / ") for cell in said.split(" | ")]
    for place, claims in enumerate((5, 17)):
        for apart, (false, right) in zip((0.0, 1.0), (cells[:2], cells[2:]), strict=True):
            found = with_margin(claims, looks, suites, apart, start=2)
            for one, cell in zip(found, (false, right), strict=True):
                told = float(cell[place]) / 100
                assert one == pytest.approx(told, abs=0.006 + allowed(told, suites, 4.5))


def test_the_manual_has_every_line_of_margins():
    assert [seeds for seeds, _ in margin_lines()] == ["looks", "10", "20", "40"]
