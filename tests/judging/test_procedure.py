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
from procedure import EFFECTS, LOOKS, SHAPES, drawn, ended, false_share, power

import genbench
from genbench.judging.cells import Cell
from genbench.judging.claims import judge
from genbench.judging.statistics import ALPHA
from genbench.suites.schema import Claim

PAGE = Path(genbench.__file__).parent / "docs/verdicts.md"
ROW = re.compile(r"\| (normal|heavy tails|whole numbers) \| (looks|\d+) \| (.*) \|")
VERDICTS = {"CONFIRMED": 1, "REFUTED": -1, "INCONCLUSIVE": 0}


def judged(values: np.ndarray, looks: Sequence[int]) -> tuple[list[int], list[int]]:
    """The verdicts on one suite (claim, side, seed) and the seeds of its claims, by `judge`."""
    claims = [Claim(id=f"K{k}", text="so", expect=f"x[a{k}] < x[b{k}]")
              for k in range(len(values))]
    runs = [SimpleNamespace(method=f"{side}{k}", dataset="d", seed=seed)
            for k in range(len(values)) for side in "ab" for seed in range(looks[-1])]
    plan: Any = SimpleNamespace(
        suite=SimpleNamespace(looks=list(looks), report=SimpleNamespace(claims=claims)),
        runs=runs, further=(),
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
